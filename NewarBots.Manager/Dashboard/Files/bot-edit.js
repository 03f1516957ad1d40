import { changeBot } from './api.js';
import { formDialog } from './dialogs.js';
import { el, toast } from './dom.js';
import { formFields } from './form-fields.js';

const maxEntries = 50;

/** Opens a dialog that changes a bot's name and metadata. */
export function editBot(bot, changed) {
  const fields = formFields();
  const rows = el('div', { class: 'entries' });
  const add = el('button', { type: 'button', class: 'small', onclick: () => {
    addRow('', '');
    rows.lastChild.firstChild.focus();
  } }, 'Add metadata');
  for (const [key, value] of Object.entries(bot.metadata)) addRow(key, value);
  formDialog(`Edit ${bot.botName}`, fields, [
    fields.add('botName', 'Name', { maxlength: 100, value: bot.botName, autocomplete: 'off' }),
    el('fieldset', { class: 'metadata' }, el('legend', {}, 'Metadata'), rows, add),
  ], 'Save', async ({ value }) => {
    const entries = [...rows.children].map(row => [...row.querySelectorAll('input')].map(input => input.value.trim())).filter(([key]) => key);
    await changeBot(bot.id, { botName: value('botName'), metadata: Object.fromEntries(entries) });
    toast('The changes are saved');
    changed();
  });

  function addRow(key, value) {
    const row = el('div', { class: 'entry' },
      el('input', { value: key, maxlength: 64, placeholder: 'Key', 'aria-label': 'Key', autocomplete: 'off' }),
      el('input', { value, maxlength: 1024, placeholder: 'Value', 'aria-label': 'Value', autocomplete: 'off' }),
      el('button', { type: 'button', class: 'small', 'aria-label': `Remove ${key || 'this entry'}`, onclick: () => {
        row.remove();
        add.disabled = false;
        add.focus();
      } }, '×'));
    rows.append(row);
    add.disabled = rows.children.length >= maxEntries;
  }
}
