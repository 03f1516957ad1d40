import { addWebhook, deleteWebhook, listDeliveries, listWebhooks, redeliver, replaceWebhookSecret, session, testWebhook } from './api.js';
import { statuses } from './bot-status.js';
import { formDialog, showSecret } from './dialogs.js';
import { confirm, el, toast } from './dom.js';
import { formFields } from './form-fields.js';
import { formatDateTime } from './format.js';

const pollInterval = 1000;

const defaultEvents = [...statuses.map(status => `bot.${status}`), 'transcript.completed', 'transcript.failed'];

/** Those of speakers are sent only if they are chosen. */
const allEvents = [...defaultEvents, 'participant.joined', 'participant.left', 'speaker.started', 'speaker.stopped'];

const describeEvents = events => (events.length === allEvents.length ? 'All events'
  : events.length === defaultEvents.length && defaultEvents.every(event => events.includes(event)) ? 'All events of bots and transcripts'
    : events.join(', '));

const secretText = 'Your receiver verifies messages with it. Copy it now; it is not shown again.';

/** Makes, lists, tests and deletes webhooks, and shows their deliveries. */
export function webhooksCard(card, signal) {
  card.addAction(el('button', { type: 'button', onclick: create }, 'Create a webhook'));
  card.fill(el('p', { class: 'quiet' }, 'Loading…'));
  show();
  return card.element;

  async function show() {
    try {
      const { items } = await listWebhooks(signal);
      card.fill(items.length
        ? el('ul', { class: 'rows' }, items.map(webhook => row(webhook, show, signal)))
        : el('p', { class: 'quiet' }, 'A webhook calls your URL each time a bot changes its status, a transcript ends, or a participant joins or leaves. ', el('a', { href: '#/docs/webhooks' }, 'About webhooks')));
    } catch (error) {
      if (!signal.aborted) card.fill(el('p', { class: 'error', role: 'alert' }, error.message));
    }
  }

  function create() {
    const fields = formFields();
    const boxes = allEvents.map(event => ({ event, box: el('input', { type: 'checkbox', id: `event-${event.replace('.', '-')}` }) }));
    formDialog('Create a webhook', fields, [
      fields.add('url', 'URL', { type: 'url', placeholder: 'https://example.com/newarbots', autocomplete: 'off' }),
      fields.add('description', 'Description', { maxlength: 200, autocomplete: 'off' }),
      session.role === 'admin' && fields.add('userId', 'User whose bots it follows', { maxlength: 64, placeholder: session.userId ?? 'default', autocomplete: 'off' }),
      el('fieldset', { class: 'checks' }, el('legend', {}, 'Events (those of bots and transcripts if none is chosen)'),
        boxes.map(({ event, box }) => el('label', {}, box, event))),
    ].filter(Boolean), 'Create', async ({ value }) => {
      const events = boxes.filter(({ box }) => box.checked).map(({ event }) => event);
      const user = session.role === 'admin' && value('userId');
      const webhook = await addWebhook({
        url: value('url'), ...(value('description') && { description: value('description') }), ...(user && { userId: user }), ...(events.length && { events }),
      });
      show();
      showSecret('The webhook’s secret', secretText, webhook.secret);
    });
  }
}

function row(webhook, changed, signal) {
  const name = webhook.description ?? webhook.url;
  const list = el('ul', { class: 'rows' });
  const note = el('p', { class: 'row-text quiet', role: 'status' });
  let isPolling = false;
  const deliveries = el('details', { ontoggle: () => deliveries.open && poll() }, el('summary', {}, 'Deliveries'), note, list);
  const button = (text, act, look = '') => el('button', { type: 'button', class: `small ${look}`, 'aria-label': `${text} ${name}`, onclick: () => act().catch(error => toast(error.message)) }, text);
  return el('li', {},
    el('div', { class: 'row-head' }, el('strong', {}, name), el('span', { class: 'group' },
      button('Test', test), button('New secret', replaceSecret), button('Delete', remove, 'danger'))),
    webhook.description && el('p', { class: 'row-text' }, webhook.url),
    el('p', { class: 'row-text quiet' }, `${describeEvents(webhook.events)} of ${webhook.userId}, created ${formatDateTime(webhook.createdAt)}`),
    webhook.disabledAt && el('p', { class: 'row-text error' }, `Disabled since ${formatDateTime(webhook.disabledAt)}, because its receiver answered 410 Gone. Delete it and create another one.`),
    deliveries);

  async function test() {
    await testWebhook(webhook.id);
    toast('A test event is on its way');
    if (deliveries.open) poll();
    else deliveries.open = true;
  }

  async function replaceSecret() {
    let changedWebhook;
    const isDone = await confirm({ title: `Replace the secret of ${name}?`, text: 'For 24 hours, messages are signed with both secrets.', yes: 'Replace' },
      async () => { changedWebhook = await replaceWebhookSecret(webhook.id); });
    if (isDone) showSecret('The webhook’s new secret', secretText, changedWebhook.secret);
  }

  async function remove() {
    const isDone = await confirm({ title: `Delete ${name}?`, text: 'Its messages are deleted too, including those that wait for a retry.', yes: 'Delete', danger: true }, () => deleteWebhook(webhook.id));
    if (!isDone) return;
    toast(`${name} is deleted`);
    changed();
  }

  /** Shows the deliveries, again and again while one is under way. */
  async function poll() {
    if (isPolling) return;
    isPolling = true;
    try {
      for (;;) {
        const { items } = await listDeliveries(webhook.id, signal);
        note.textContent = items.length ? '' : 'None yet.';
        list.replaceChildren(...items.map(makeDelivery));
        if (!deliveries.open || !items.some(item => item.status === 'pending')) break;
        await new Promise(resolve => setTimeout(resolve, pollInterval));
        signal.throwIfAborted();
      }
    } catch (error) {
      if (!signal.aborted) note.textContent = error.message;
    } finally {
      isPolling = false;
    }
  }

  function makeDelivery(delivery) {
    return el('li', {},
      el('div', { class: 'row-head' },
        el('span', { class: 'group' }, el('span', { class: `status plain ${delivery.status}` }, delivery.status), el('strong', {}, delivery.type), el('span', { class: 'quiet row-text' }, formatDateTime(delivery.createdAt))),
        button('Redeliver', async () => {
          await redeliver(webhook.id, delivery.id);
          toast(`${delivery.type} is sent again`);
          poll();
        })),
      delivery.attempts.map(attempt => el('p', { class: 'row-text' },
        `${formatDateTime(attempt.at)}, ${attempt.durationSeconds.toFixed(1)} s: ${attempt.httpStatus ? `answered ${attempt.httpStatus}` : attempt.error ?? 'no answer'}`)),
      delivery.status === 'pending' && delivery.nextAttemptAt && delivery.attempts.length > 0 && el('p', { class: 'row-text quiet' }, `Next attempt at ${formatDateTime(delivery.nextAttemptAt)}`));
  }
}
