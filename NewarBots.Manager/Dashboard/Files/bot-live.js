import { getParticipants } from './api.js';
import { el } from './dom.js';
import { formatDuration, levelFraction } from './format.js';

const maxLevels = 240;

const lastSeconds = 30;

const participantsInterval = 5000;

/** The manager learns of a long turn every ten seconds. */
const speakingMilliseconds = 15000;

/** The level of a bot that records, who speaks, and players for what it has recorded so far. */
export function liveAudio(id, signal) {
  const levels = [];
  const bar = el('span', { class: 'bar-level' });
  const text = el('span', { class: 'quiet' });
  const history = el('div', { class: 'levels', role: 'img', 'aria-label': 'Audio level so far', hidden: true });
  const sound = el('div', { hidden: true });
  const speakers = el('ul', { class: 'speakers', 'aria-label': 'Participants who spoke', hidden: true });
  let askedAt = 0;
  const listen = el('div', { class: 'group', hidden: true },
    el('button', { type: 'button', onclick: () => play(0) }, 'Listen to the recording so far'),
    el('button', { type: 'button', onclick: () => play(lastSeconds) }, `Listen to the last ${lastSeconds} s`));
  return {
    element: el('div', {}, history, el('div', { class: 'live' }, el('span', { class: 'level wide' }, bar), text), speakers, listen, sound),
    addLevel(level) {
      levels.push(level);
      if (levels.length > maxLevels) levels.shift();
      history.hidden = false;
      history.replaceChildren(...levels.map(known => {
        const column = el('span');
        column.style.height = `${Math.max(3, levelFraction(known) * 100)}%`;
        return column;
      }));
    },
    show(bot) {
      listen.hidden = !(bot.chunks > 1);
      bar.style.setProperty('--level', levelFraction(bot.level));
      text.textContent = bot.level === undefined ? 'No audio level yet' : bot.level <= -127 ? 'Silence' : `${bot.level} dBFS`;
      showParticipants();
    },
  };

  /** The bot is shown with each of its messages; this asks less often. */
  async function showParticipants() {
    if (Date.now() < askedAt + participantsInterval) return;
    askedAt = Date.now();
    try {
      const { items } = await getParticipants(id, signal);
      speakers.hidden = !items.length;
      speakers.replaceChildren(...items.map(person => {
        const isSpeaking = Date.parse(person.lastSpokeAt) > Date.now() - speakingMilliseconds;
        return el('li', { class: isSpeaking ? 'is-speaking' : undefined }, el('span', {}, person.name ?? person.source),
          el('span', { class: 'quiet' }, `${formatDuration(person.spokenSeconds)}${isSpeaking ? ', speaks' : ''}`));
      }));
    } catch {
      // The list stays as it is until the next message.
    }
  }

  /** Each click plays a new snapshot. */
  function play(seconds) {
    const audio = el('audio', {
      controls: true, autoplay: true, src: `/bots/${id}/recording?partial=true`, 'aria-label': 'Recording so far',
      onloadedmetadata: () => { if (seconds) audio.currentTime = Math.max(0, audio.duration - seconds); },
    });
    sound.hidden = false;
    sound.replaceChildren(audio);
  }
}
