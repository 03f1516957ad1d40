import { changeBot, Problem } from './api.js';
import { el, toast } from './dom.js';
import { formFields } from './form-fields.js';
import { timeZone } from './format.js';

const minute = 60000;
const maxAhead = 30 * 24 * 60 * minute;

/** Milliseconds as the value of a datetime-local input: local time, to the minute. */
const toInputValue = milliseconds => new Date(milliseconds - new Date(milliseconds).getTimezoneOffset() * minute).toISOString().slice(0, 16);

export const startAttributes = () => ({ type: 'datetime-local', min: toInputValue(Date.now()), max: toInputValue(Date.now() + maxAhead) });

/**
 * Reads a datetime-local input as an ISO time; undefined if it is empty.
 * @throws Problem if the input is incomplete or in the past. The API would start a bot with a past time at once.
 */
export function readStart(input) {
  const invalid = text => new Problem(0, { errors: { startAt: [text] } });
  if (input.validity.badInput) throw invalid('must have a date and a time');
  if (!input.value) return undefined;
  const moment = new Date(input.value);
  if (moment < Date.now() - minute) throw invalid('must not be in the past');
  return moment.toISOString();
}

/** Opens a dialog that changes a scheduled bot's start time. */
export function changeStart(bot, changed) {
  const fields = formFields();
  const failure = el('p', { class: 'error', role: 'alert' });
  const save = el('button', { type: 'submit', class: 'primary' }, 'Save');
  const dialog = el('dialog', { 'aria-labelledby': 'schedule-title', class: 'confirm', onclose: () => dialog.remove() },
    el('form', { novalidate: true, onsubmit: submit },
      el('h2', { id: 'schedule-title' }, 'Change start time'),
      fields.add('startAt', `Start at (${timeZone()})`, { ...startAttributes(), value: toInputValue(Date.parse(bot.startAt)) }), failure,
      el('div', { class: 'actions' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), save)));
  document.body.append(dialog);
  dialog.showModal();

  async function submit(event) {
    event.preventDefault();
    fields.clearErrors();
    failure.textContent = '';
    save.disabled = true;
    try {
      const startAt = readStart(fields.input('startAt'));
      if (!startAt) throw new Problem(0, { errors: { startAt: ['is required; to call the bot off, cancel it instead'] } });
      await changeBot(bot.id, { startAt });
      dialog.close();
      toast('The start time is changed');
      changed();
    } catch (error) {
      failure.textContent = fields.showErrors(error);
    } finally {
      save.disabled = false;
    }
  }
}
