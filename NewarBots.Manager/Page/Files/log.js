import { followLog } from './api.js';
import { el } from './dom.js';

const mostCharacters = 200000;

/** What the bot's container prints, as it prints it; while nobody sees the page it rests, like all that keeps a connection. */
export function showLog(id, signal) {
  const text = el('pre', { class: 'log', tabindex: '0', role: 'log', 'aria-live': 'off', 'aria-label': 'Log' });
  let reading;
  let isWhole = false;
  document.addEventListener('visibilitychange', readOrRest, { signal });
  readOrRest();
  return text;

  function readOrRest() {
    reading?.abort();
    if (document.hidden || isWhole) return;
    reading = new AbortController();
    read(AbortSignal.any([signal, reading.signal]));
  }

  async function read(ended) {
    let all = '';
    try {
      const response = await followLog(id, ended);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        all = (all + part.value).slice(-mostCharacters);
        const isAtEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
        text.textContent = all;
        if (isAtEnd) text.scrollTop = text.scrollHeight;
      }
      isWhole = true;
      if (!all) text.textContent = 'It has printed nothing.';
    } catch (error) {
      if (!ended.aborted) text.textContent = `${all}${all && '\n'}${error.status ? error.message : 'The log cannot be read on: the manager or its engine is away.'}`;
    }
  }
}
