import { addKey, listKeys, revokeKey, session } from './api.js';
import { formDialog, showSecret } from './dialogs.js';
import { confirm, el, toast } from './dom.js';
import { formFields } from './form-fields.js';
import { formatDateTime } from './format.js';

/** Makes, lists and revokes keys. */
export function keysCard(card, signal) {
  const note = el('p', { class: 'quiet' }, 'Loading…');
  card.fill(note);
  if (session.keyId) {
    card.addAction(el('button', { type: 'button', onclick: create }, 'Create a key'));
    show();
  } else {
    note.replaceChildren('There are no keys, so the manager serves this machine only. Create the first one on this machine: ',
      el('code', {}, './run keys add NAME --role admin'), '. ', el('a', { href: '#/docs/access' }, 'About keys'));
  }
  return card.element;

  async function show() {
    try {
      const { items } = await listKeys(signal);
      card.fill(el('ul', { class: 'rows' }, items.map(key => el('li', {},
        el('div', { class: 'row-head' },
          el('span', {}, el('strong', {}, key.name), key.id === session.keyId && el('span', { class: 'quiet' }, ' (this session)')),
          el('button', { type: 'button', class: 'small danger', 'aria-label': `Revoke ${key.name}`, onclick: () => revoke(key) }, 'Revoke')),
        el('p', { class: 'row-text quiet' }, `${key.role} of ${key.userId}, created ${formatDateTime(key.createdAt)}, id ${key.id}`)))));
    } catch (error) {
      if (!signal.aborted) card.fill(el('p', { class: 'error', role: 'alert' }, error.message));
    }
  }

  function create() {
    const fields = formFields();
    const role = el('select', { id: 'field-role' }, el('option', { value: 'user' }, 'user: the bots of one user'), el('option', { value: 'admin' }, 'admin: all bots, keys and settings'));
    formDialog('Create a key', fields, [
      fields.add('name', 'Name', { maxlength: 100, placeholder: 'Notes of the sales team', autocomplete: 'off' }),
      fields.add('userId', 'User', { maxlength: 64, placeholder: 'default', autocomplete: 'off' }),
      el('div', { class: 'field' }, el('label', { for: 'field-role' }, 'Role'), role),
    ], 'Create', async ({ value }) => {
      const key = await addKey({ name: value('name'), role: role.value, ...(value('userId') && { userId: value('userId') }) });
      show();
      showSecret(`The key of ${key.name}`, 'Copy it now. It is not shown again.', key.secret);
    });
  }

  async function revoke(key) {
    const isDone = await confirm({
      title: `Revoke ${key.name}?`, yes: 'Revoke', danger: true,
      text: `Programs and browsers that use this key are signed out at once.${key.id === session.keyId ? ' You are one of them.' : ''}`,
    }, () => revokeKey(key.id));
    if (!isDone) return;
    toast(`${key.name} is revoked`);
    show();
  }
}
