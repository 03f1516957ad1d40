import { changeBot, Problem } from './api.js';
import { el } from './dom.js';
import { formFields } from './form.js';

const minute = 60000;
const longestAhead = 30 * 24 * 60 * minute;

/** As an input takes it: local, to the minute. */
const local = moment => new Date(moment - new Date(moment).getTimezoneOffset() * minute).toISOString().slice(0, 16);

export const startAttributes = () => ({ type: 'datetime-local', min: local(Date.now()), max: local(Date.now() + longestAhead) });

/**
 * What an input says of a local time, for the API; undefined where it says nothing.
 * @throws Problem where half of it is missing, or it has passed: to the API that would mean now.
 */
export function readStart(input) {
  const fault = text => new Problem(0, { errors: { startAt: [text] } });
  if (input.validity.badInput) throw fault('must have a date and a time');
  if (!input.value) return undefined;
  const moment = new Date(input.value);
  if (moment < Date.now() - minute) throw fault('must not lie in the past');
  return moment.toISOString();
}

/** Asks in a dialog when a scheduled bot is to start. */
export function changeStart(bot, changed) {
  const fields = formFields();
  const fault = el('p', { class: 'fault', role: 'alert' });
  const save = el('button', { type: 'submit', class: 'primary' }, 'Save');
  const dialog = el('dialog', { 'aria-labelledby': 'schedule-title', class: 'confirm', onclose: () => dialog.remove() },
    el('form', { novalidate: true, onsubmit: submit },
      el('h2', { id: 'schedule-title' }, 'When does it start?'),
      fields.add('startAt', 'Start at (local time)', { ...startAttributes(), value: local(Date.parse(bot.startAt)) }), fault,
      el('div', { class: 'actions' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), save)));
  document.body.append(dialog);
  dialog.showModal();

  async function submit(event) {
    event.preventDefault();
    fields.clear();
    fault.textContent = '';
    save.disabled = true;
    try {
      const startAt = readStart(fields.input('startAt'));
      if (!startAt) throw new Problem(0, { errors: { startAt: ['is needed; to call the bot off, cancel it'] } });
      await changeBot(bot.id, { startAt });
      dialog.close();
      changed();
    } catch (error) {
      fault.textContent = fields.show(error);
    } finally {
      save.disabled = false;
    }
  }
}
