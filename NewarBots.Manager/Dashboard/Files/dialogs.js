import { copyText, el } from './dom.js';

/** Shows a secret that cannot be shown again. */
export function showSecret(title, text, secret) {
  const dialog = el('dialog', { class: 'confirm', 'aria-labelledby': 'secret-title', onclose: () => dialog.remove() },
    el('h2', { id: 'secret-title' }, title), el('p', {}, text), el('code', { class: 'secret' }, secret),
    el('div', { class: 'actions' },
      el('button', { type: 'button', onclick: () => copyText(secret, 'The secret is copied') }, 'Copy'),
      el('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Done')));
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * A form in a dialog. `submit` gets the fields; its errors are shown beside them.
 * @param fields From form-fields.js.
 */
export function formDialog(title, fields, nodes, yes, submit) {
  const failure = el('p', { class: 'error', role: 'alert' });
  const send = el('button', { type: 'submit', class: 'primary' }, yes);
  const dialog = el('dialog', { class: 'start', 'aria-labelledby': 'form-title', onclose: () => dialog.remove() },
    el('form', { novalidate: true, onsubmit: async event => {
      event.preventDefault();
      fields.clearErrors();
      failure.textContent = '';
      send.disabled = true;
      try {
        await submit(fields);
        dialog.close();
      } catch (error) {
        failure.textContent = fields.showErrors(error);
      } finally {
        send.disabled = false;
      }
    } },
    el('h2', { id: 'form-title' }, title), nodes, failure,
    el('div', { class: 'actions' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), send)));
  document.body.append(dialog);
  dialog.showModal();
}
