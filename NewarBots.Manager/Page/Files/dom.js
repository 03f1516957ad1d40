// Text goes into the page as text alone: nothing here takes HTML.

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

export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

/** Asks in a dialog. Resolves to whether the answer is yes; what act throws is shown and asked again. */
export function confirm({ title, text, yes, no = 'Cancel', danger = false }, act) {
  return new Promise(resolve => {
    const fault = el('p', { class: 'fault', role: 'alert' });
    const confirmed = el('button', { type: 'button', class: danger ? 'danger' : 'primary', onclick: async () => {
      confirmed.disabled = true;
      try {
        await act();
        dialog.close('yes');
      } catch (error) {
        fault.textContent = error.message;
        confirmed.disabled = false;
      }
    } }, yes);
    const heading = el('h2', { id: 'confirm-title' }, title);
    const dialog = el('dialog', { 'aria-labelledby': 'confirm-title', class: 'confirm' },
      heading, el('p', {}, text), fault,
      el('div', { class: 'actions' }, el('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, no), confirmed));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
