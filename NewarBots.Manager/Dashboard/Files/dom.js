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

const toastMilliseconds = 6000;

/** Confirms an action in a corner of the page, for a few seconds. Screen readers say it. */
export function toast(text) {
  const item = el('p', { class: 'toast' }, text);
  document.getElementById('toasts').append(item);
  setTimeout(() => item.remove(), toastMilliseconds);
}

/** A button that copies what `read` returns. */
export const copyButton = (label, read, copied) =>
  el('button', { type: 'button', class: 'small', onclick: () => copyText(read(), copied) }, label);

/** Browsers have no clipboard for pages that came over http from another machine; such a page shows the text, selected. */
export async function copyText(text, copied) {
  try {
    await navigator.clipboard.writeText(text);
    toast(copied);
  } catch {
    const field = el('textarea', { readonly: true, rows: 4, 'aria-label': 'Text to copy' });
    field.value = text;
    const dialog = el('dialog', { class: 'confirm', 'aria-labelledby': 'copy-title', onclose: () => dialog.remove() },
      el('h2', { id: 'copy-title' }, 'Copy this text'), field,
      el('div', { class: 'actions' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Close')));
    document.body.append(dialog);
    dialog.showModal();
    field.select();
  }
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
