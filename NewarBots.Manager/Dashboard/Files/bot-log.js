import { followLog } from './api.js';
import { copyText, el } from './dom.js';
import { formatTime } from './format.js';

const maxCharacters = 200000;

const halfDay = 12 * 3600 * 1000;

const levels = { trce: 'trace', dbug: 'debug', info: 'info', warn: 'warning', fail: 'error', crit: 'critical' };

const recordPattern = /^(\d\d:\d\d:\d\d\.\d{3}) (trce|dbug|info|warn|fail|crit): \w+: (.*)$/;

/** A filter that shows warnings and errors only. */
const importantLevels = ['warn', 'fail', 'crit'];

/**
 * The live output of the bot's container, with a filter. Disconnects while the tab is hidden, to save one of the browser's six connections per host.
 * @param since The time of the bot's request, in milliseconds: the log's times have no date.
 */
export function showLog(id, since, signal) {
  const lines = el('div', { class: 'log', tabindex: '0', role: 'log', 'aria-live': 'off', 'aria-label': 'Log' });
  const words = el('input', { type: 'search', placeholder: 'Filter the log', 'aria-label': 'Filter the log', oninput: filter });
  const level = el('select', { 'aria-label': 'Levels', onchange: filter }, el('option', { value: '' }, 'All levels'), el('option', { value: 'important' }, 'Warnings and errors'));
  const nothing = el('p', { class: 'quiet log-note', role: 'status' });
  let reading;
  let isComplete = false;
  let readTime = clock(since);
  document.addEventListener('visibilitychange', readIfVisible, { signal });
  readIfVisible();
  return el('div', {},
    el('div', { class: 'log-tools' }, words, level,
      el('button', { type: 'button', onclick: () => copyText([...lines.children].filter(line => !line.hidden).map(line => line.dataset.text).join('\n'), 'The log is copied') }, 'Copy'),
      el('a', { href: `/bots/${id}/logs`, target: '_blank' }, 'Plain text')),
    lines, nothing);

  function readIfVisible() {
    reading?.abort();
    if (document.hidden || isComplete) return;
    reading = new AbortController();
    read(AbortSignal.any([signal, reading.signal]));
  }

  async function read(ended) {
    lines.replaceChildren();
    nothing.textContent = 'No output yet.';
    readTime = clock(since);
    let rest = '';
    let length = 0;
    try {
      const response = await followLog(id, ended);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const texts = (rest + part.value).split('\n');
        rest = texts.pop();
        length += add(texts);
        while (length > maxCharacters) {
          length -= lines.firstChild.dataset.text.length;
          lines.firstChild.remove();
        }
      }
      if (rest) add([rest]);
      isComplete = true;
      if (!lines.children.length) nothing.textContent = 'The log is empty.';
    } catch (error) {
      if (!ended.aborted) nothing.textContent = error.status ? error.message : 'The log is interrupted: the manager or the container engine is unavailable.';
    }
  }

  /** Returns the number of characters. */
  function add(texts) {
    const isAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 8;
    lines.append(...texts.map(makeLine));
    filter();
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
    return texts.reduce((sum, text) => sum + text.length, 0);
  }

  function makeLine(text) {
    const [, at, word, message] = recordPattern.exec(text) ?? [];
    const line = word
      ? el('div', { class: `line ${word}` }, el('time', { title: `${at} UTC` }, formatTime(readTime(at))), ' ',
        importantLevels.includes(word) && el('strong', {}, `${levels[word]} `), el('span', {}, message))
      : el('div', { class: 'line' }, text);
    line.dataset.text = text;
    return line;
  }

  function filter() {
    const wanted = words.value.toLowerCase();
    let shown = 0;
    for (const line of lines.children) {
      line.hidden = !line.dataset.text.toLowerCase().includes(wanted) || (level.value && !importantLevels.some(word => line.classList.contains(word)));
      shown += line.hidden ? 0 : 1;
    }
    if (lines.children.length) nothing.textContent = shown ? '' : 'No line matches the filter.';
  }
}

/** Reads the log's times of day, which are in UTC, as dates: from `since` on, in order. */
function clock(since) {
  let last = since;
  return time => {
    const day = new Date(last).toISOString().slice(0, 10);
    let moment = Date.parse(`${day}T${time}Z`);
    if (moment < last - halfDay) moment += 2 * halfDay;
    last = moment;
    return moment;
  };
}
