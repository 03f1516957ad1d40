// Builds elements. Strings become text nodes, never HTML.

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter(child => child !== undefined && child !== null && child !== false));
  return element;
}

/** Has screen readers say the text. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

/** Asks for confirmation in a dialog. An error from `act` is shown and leaves the dialog open. Resolves to whether `act` succeeded. */
export function confirm({ title, text, yes, no = 'Cancel', danger = false }, act) {
  return new Promise(resolve => {
    const failure = el('p', { class: 'error', role: 'alert' });
    const confirmed = el('button', { type: 'button', class: danger ? 'danger' : 'primary', onclick: async () => {
      confirmed.disabled = true;
      try {
        await act();
        dialog.close('yes');
      } catch (error) {
        failure.textContent = error.message;
        confirmed.disabled = false;
      }
    } }, yes);
    const heading = el('h2', { id: 'confirm-title' }, title);
    const dialog = el('dialog', { 'aria-labelledby': 'confirm-title', class: 'confirm' },
      heading, el('p', {}, text), failure,
      el('div', { class: 'actions' }, el('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, no), confirmed));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
