import { followLog } from './api.js';
import { el } from './dom.js';

const maxCharacters = 200000;

/** The live output of the bot's container. Disconnects while the tab is hidden, to save one of the browser's six connections per host. */
export function showLog(id, signal) {
  const text = el('pre', { class: 'log', tabindex: '0', role: 'log', 'aria-live': 'off', 'aria-label': 'Log' });
  let reading;
  let isComplete = false;
  document.addEventListener('visibilitychange', readIfVisible, { signal });
  readIfVisible();
  return text;

  function readIfVisible() {
    reading?.abort();
    if (document.hidden || isComplete) return;
    reading = new AbortController();
    read(AbortSignal.any([signal, reading.signal]));
  }

  async function read(ended) {
    let all = '';
    try {
      const response = await followLog(id, ended);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        all = (all + part.value).slice(-maxCharacters);
        const isAtEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
        text.textContent = all;
        if (isAtEnd) text.scrollTop = text.scrollHeight;
      }
      isComplete = true;
      if (!all) text.textContent = 'The log is empty.';
    } catch (error) {
      if (!ended.aborted) text.textContent = `${all}${all && '\n'}${error.status ? error.message : 'The log is interrupted: the manager or the container engine is unavailable.'}`;
    }
  }
}
