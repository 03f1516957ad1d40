import { getScenarios, sendBot, session } from './api.js';
import { el, toast } from './dom.js';
import { formFields } from './form-fields.js';
import { timeZone } from './format.js';
import { readStart, startAttributes } from './start-time.js';

/** Leave condition, label, default in seconds. */
const conditions = [
  ['waitingRoomTimeout', 'Not admitted for', 600],
  ['nobodyJoinedTimeout', 'Nobody joins for', 600],
  ['everyoneLeftTimeout', 'Everyone has left for', 60],
  ['silenceTimeout', 'Silence for', undefined],
  ['maxDuration', 'Maximum duration', 14400],
];

/** Opens the dialog that sends a bot, then shows the new bot's page. */
export async function openSendForm() {
  const fields = formFields();
  const failure = el('p', { class: 'error', role: 'alert' });
  const meetingUrl = fields.add('meetingUrl', 'Meeting link', { type: 'url', required: true, placeholder: 'https://meet.google.com/abc-defg-hij', autocomplete: 'off' });
  const botName = fields.add('botName', 'Name in the meeting', { maxlength: 100, placeholder: 'NewarBots Recorder', autocomplete: 'off' });
  const userId = fields.add('userId', 'User', { maxlength: 64, placeholder: 'default', autocomplete: 'off' });
  const startAt = fields.add('startAt', `Start at (${timeZone()}; leave empty to start now)`, startAttributes());
  // A user's key sends bots for that user only.
  userId.hidden = session.role === 'user';
  const leave = el('details', {}, el('summary', {}, 'When to leave'),
    el('div', { class: 'conditions' }, conditions.map(([name, label, seconds]) =>
      fields.add(`leave.${name}`, `${label} (seconds)`, { type: 'number', min: 0, step: 'any', placeholder: seconds ?? 'never' }))));
  const description = el('p', { class: 'quiet', id: 'scenario-description' });
  const rehearsals = el('div', { class: 'field', hidden: true });
  const send = el('button', { type: 'submit', class: 'primary' }, 'Send');
  const form = el('form', { novalidate: true, onsubmit: submit },
    el('h2', { id: 'start-title' }, 'Send a bot'), rehearsals, meetingUrl, el('div', { class: 'pair' }, botName, userId), startAt, leave, failure,
    el('div', { class: 'actions' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), send));
  const dialog = el('dialog', { 'aria-labelledby': 'start-title', class: 'start', onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
  fields.input('meetingUrl').focus();

  const scenarios = await getScenarios().catch(() => []);
  if (scenarios.length) {
    const pick = el('select', { id: 'field-scenario', 'aria-describedby': 'scenario-description', onchange: choose },
      el('option', { value: '' }, 'None (real meeting)'), scenarios.map(scenario => el('option', { value: scenario.name }, scenario.name)));
    rehearsals.append(el('label', { for: 'field-scenario' }, 'Rehearsal'), pick, description);
    rehearsals.hidden = false;

    function choose() {
      const scenario = scenarios.find(known => known.name === pick.value);
      description.textContent = scenario?.description ?? '';
      // Errors of the previous meeting link do not apply to this one.
      fields.clearErrors();
      failure.replaceChildren();
      const epoch = scenario?.needsEpoch ? `&epoch=${Math.floor(Date.now() / 1000)}` : '';
      fields.input('meetingUrl').value = scenario ? scenario.meetingUrl + epoch : '';
      for (const [name] of conditions) fields.input(`leave.${name}`).value = scenario?.leave[name] ?? '';
      leave.open = Object.keys(scenario?.leave ?? {}).length > 0;
    }
  }

  async function submit(event) {
    event.preventDefault();
    failure.replaceChildren();
    fields.clearErrors();
    const { value } = fields;
    const given = conditions.map(([name]) => [name, value(`leave.${name}`)]).filter(([, text]) => text);
    send.disabled = true;
    try {
      const startAt = readStart(fields.input('startAt'));
      const bot = await sendBot({
        meetingUrl: value('meetingUrl'),
        ...(value('botName') && { botName: value('botName') }),
        ...(value('userId') && { userId: value('userId') }),
        ...(startAt && { startAt }),
        ...(given.length && { leave: Object.fromEntries(given.map(([name, text]) => [name, Number(text)])) }),
      });
      dialog.close();
      toast(bot.status === 'scheduled' ? `${bot.botName} is scheduled` : `${bot.botName} is on its way`);
      location.hash = `#/bots/${bot.id}`;
    } catch (error) {
      showProblem(error);
    } finally {
      send.disabled = false;
    }
  }

  function showProblem(problem) {
    failure.append(fields.showErrors(problem));
    if (problem.botId) failure.append(' ', el('a', { href: `#/bots/${problem.botId}`, onclick: () => dialog.close() }, 'Show that bot'));
  }
}
