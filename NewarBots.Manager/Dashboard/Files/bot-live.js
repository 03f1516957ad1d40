import { el } from './dom.js';
import { levelFraction } from './format.js';

const maxLevels = 240;

const lastSeconds = 30;

/** The level of a bot that records, who speaks, and players for what it has recorded so far. */
export function liveAudio(id) {
  const levels = [];
  const bar = el('span', { class: 'bar-level' });
  const text = el('span', { class: 'quiet' });
  const history = el('div', { class: 'levels', role: 'img', 'aria-label': 'Audio level so far', hidden: true });
  const sound = el('div', { hidden: true });
  const speakers = el('p', { class: 'speakers' }, 'Nobody speaks');
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
    },
    showSpeakers(names) {
      speakers.classList.toggle('is-speaking', names.length > 0);
      speakers.textContent = names.length ? `${new Intl.ListFormat('en').format(names)} ${names.length > 1 ? 'speak' : 'speaks'}` : 'Nobody speaks';
    },
  };

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
