import { getParticipants } from './api.js';
import { isEnded } from './bot-status.js';
import { el } from './dom.js';
import { formatDuration, formatTime } from './format.js';

/**
 * The participants of a call, with the times when they joined, left and spoke.
 * @param onSpeakers Called with the names of those who speak now.
 */
export function participantsCard(id, signal, onSpeakers) {
  const rows = el('tbody', {});
  const element = el('section', { class: 'card', 'aria-labelledby': 'participants-title', hidden: true },
    el('h2', { id: 'participants-title' }, 'Participants'),
    el('div', { class: 'table', tabindex: 0, role: 'group', 'aria-label': 'Table: participants' },
      el('table', { class: 'participants' },
        el('thead', {}, el('tr', {}, ['Name', 'Joined', 'Left', 'Spoke'].map(title => el('th', { scope: 'col' }, title)))), rows)));
  let latest;
  let isAsking = false;
  let isAskedAgain = false;
  return {
    element,
    /** One request at a time; calls during a request cause one more. */
    async show(bot) {
      latest = bot;
      isAskedAgain = isAsking;
      if (isAsking) return;
      isAsking = true;
      try {
        do {
          isAskedAgain = false;
          draw((await getParticipants(id, signal)).items);
        } while (isAskedAgain);
      } catch {
        // The list stays as it is until the next event.
      } finally {
        isAsking = false;
      }
    },
  };

  function draw(items) {
    const isLive = !isEnded(latest);
    element.hidden = !items.length;
    rows.replaceChildren(...items.map(person => el('tr', { class: isLive && person.isSpeaking ? 'is-speaking' : undefined },
      el('th', { scope: 'row' }, nameOf(person)),
      el('td', {}, person.joinedAt ? formatTime(person.joinedAt) : '–'),
      el('td', {}, person.leftAt ? formatTime(person.leftAt) : person.joinedAt ? (isLive ? 'in the call' : 'after the bot') : '–'),
      el('td', {}, isLive && person.isSpeaking ? 'speaks now' : person.spokenSeconds ? formatDuration(person.spokenSeconds) : '–'))));
    onSpeakers(isLive ? items.filter(person => person.isSpeaking).map(nameOf) : []);
  }
}

const nameOf = person => person.name ?? `Unknown (${person.source})`;
