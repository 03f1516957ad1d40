import { isEnded } from './bot-status.js';
import { el } from './dom.js';
import { formatDuration, formatTime } from './format.js';

/** One bar per phase of a bot, on a shared time axis. */
export function timeline() {
  const list = el('ol', { class: 'timeline' });
  const axis = el('div', { class: 'axis', 'aria-hidden': 'true' });
  const rows = [];
  return { element: el('div', {}, list, axis), draw };

  /**
   * @param phases { status, at } in order, one per status; the last phase of an ended bot has no length.
   * @param gaps { from, to, cause }, with times in milliseconds since the Unix epoch.
   */
  function draw(bot, phases, gaps = []) {
    if (!phases.length) return;
    const start = phases[0].at;
    const end = Math.max(isEnded(bot) ? phases.at(-1).at : Date.now(), start + 1000);
    const percent = moment => `${Math.max(0, Math.min(100, ((moment - start) / (end - start)) * 100))}%`;
    phases.forEach((phase, index) => {
      const isEnd = ['completed', 'failed', 'cancelled'].includes(phase.status);
      const until = phases[index + 1]?.at ?? end;
      let row = rows[index];
      if (!row) {
        row = rows[index] = { name: el('span', { class: 'phase-name' }), bar: el('span'), time: el('span', { class: 'quiet' }), gaps: 0 };
        list.append(el('li', {}, row.name, el('span', { class: 'track' }, row.bar), row.time));
      }
      row.name.textContent = phase.status;
      row.bar.className = `phase ${phase.status}`;
      row.bar.style.left = percent(phase.at);
      row.bar.style.width = isEnd ? '0' : `calc(${percent(until)} - ${percent(phase.at)})`;
      row.time.textContent = isEnd ? formatTime(phase.at) : formatPhase((until - phase.at) / 1000);
      row.time.title = formatTime(phase.at);
      const shown = phase.status === 'recording' ? gaps : [];
      if (row.gaps !== shown.length) {
        row.gaps = shown.length;
        row.bar.replaceChildren(...shown.filter(gap => gap.to > phase.at && gap.from < until).map(gap => {
          const mark = el('span', { class: 'gap', title: `Gap: ${gap.cause}` });
          const within = moment => Math.max(0, Math.min(1, (moment - phase.at) / (until - phase.at))) * 100;
          mark.style.left = `${within(gap.from)}%`;
          mark.style.width = `${within(gap.to) - within(gap.from)}%`;
          return mark;
        }));
      }
    });
    for (const row of rows.splice(phases.length)) row.name.parentElement.remove();
    axis.replaceChildren(...[0, 0.5, 1].map(part => el('span', {}, formatTime(start + (end - start) * part))));
  }
}

/** Most phases last a few seconds, so short ones show tenths. */
const formatPhase = seconds => (seconds < 10 ? `${seconds.toFixed(1)} s` : formatDuration(seconds));

/**
 * The phases in a bot's status messages, in order; a repeated status continues its phase. Leaves out `scheduled`: days of waiting would
 * squeeze all other phases.
 */
export function phasesOf(messages) {
  const phases = [];
  for (const message of [...messages.values()].sort((a, b) => a.sequence - b.sequence)) {
    if (message.status !== 'scheduled' && phases.at(-1)?.status !== message.status) phases.push({ status: message.status, at: message.timestamp });
  }
  return phases;
}

/** The phases in the bot itself, for bots whose status messages are no longer kept. */
export const phasesOfBot = bot => [
  ['queued', bot.status === 'scheduled' ? undefined : bot.startAt ?? bot.createdAt], ['joining', bot.joiningAt], ['recording', bot.recordingAt], [isEnded(bot) ? bot.status : undefined, bot.endedAt],
].filter(([status, at]) => status && at).map(([status, at]) => ({ status, at: Date.parse(at) }));
