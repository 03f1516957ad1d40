import { canTranscribe, getTranscript, getTranscriptText, makeTranscript } from './api.js';
import { announce, el } from './dom.js';
import { formatDuration } from './format.js';
import { keyOfSpeaker, speakersOf } from './recording-map.js';

const formats = ['txt', 'srt', 'vtt', 'md', 'json'];

/**
 * The transcript of a bot's recording: its progress, or its text, which follows the player. Texts and names become text nodes, never HTML.
 * @param refresh Reads the bot again.
 */
export function transcriptCard(id, signal, refresh) {
  const state = el('div', {});
  const body = el('div', {});
  const tools = el('div', { class: 'downloads' });
  const element = el('section', { class: 'card', 'aria-labelledby': 'transcript-title', hidden: true },
    el('div', { class: 'card-heading' }, el('h2', { id: 'transcript-title' }, 'Transcript'), tools), state, body);
  let shown;
  let audio;
  let manifest;
  let view;
  return { element, update, attach };

  /** Shows the state of the bot's transcript. */
  function update(bot) {
    if (!bot.recording) return;
    const { status, progress, error, url } = bot.transcript ?? {};
    const next = JSON.stringify([status, progress, error, url]);
    if (next === shown) return;
    const before = shown && JSON.parse(shown)[0];
    shown = next;
    if (before && before !== status) announce(`The transcript is ${status}`);
    element.hidden = !status;
    if (!status) return offer();
    if (status === 'completed') show();
    else if (status === 'failed') show(el('p', { class: 'error' }, error), url && earlier(), requestButton('Try again'));
    else showProgress(progress, error, url);
    if (!url) {
      view = undefined;
      tools.replaceChildren();
      body.replaceChildren();
    } else if (status === 'completed' ? before !== status : !before) load();
  }

  /** Leaves out children that do not apply. */
  function show(...children) {
    state.replaceChildren(...children.filter(Boolean));
  }

  /** A repeat does not remove the text before it has completed. */
  function earlier() {
    return el('p', { class: 'quiet' }, 'This is the earlier transcript.');
  }

  /** Makes the text follow the player, and a click on the text move it. */
  function attach(player, described) {
    audio = player;
    manifest = described;
    audio.addEventListener('timeupdate', () => view?.follow(audio.currentTime, !audio.paused), { signal });
    view?.color(manifest);
  }

  async function offer() {
    try {
      if (!await canTranscribe(signal) || JSON.parse(shown)[0]) return;
      element.hidden = false;
      show(el('p', { class: 'quiet' }, 'This recording has not been transcribed.'), requestButton('Transcribe'));
    } catch {
      // The rest of the page works without it.
    }
  }

  function showProgress(progress, error, url) {
    const percent = Math.round((progress ?? 0) * 100);
    show(
      el('p', { class: 'quiet' }, error ? 'Waiting for the next attempt' : progress === undefined ? 'Waiting for the speech server' : `Transcribing: ${percent} %`),
      el('progress', { max: 100, value: percent, 'aria-label': 'Progress of the transcript' }),
      error && el('p', { class: 'error' }, error), url && earlier());
  }

  function requestButton(text) {
    const failure = el('p', { class: 'error', role: 'alert' });
    const button = el('button', { type: 'button', onclick: async () => {
      button.disabled = true;
      try {
        await makeTranscript(id);
        refresh();
      } catch (error) {
        failure.textContent = error.message;
        button.disabled = false;
      }
    } }, text);
    return el('div', { class: 'transcript-request' }, button, failure);
  }

  async function load() {
    body.replaceChildren(el('p', { class: 'quiet' }, 'Loading the transcript…'));
    try {
      const transcript = await getTranscript(id, signal);
      tools.replaceChildren(downloads());
      if (!transcript.segments.length) {
        body.replaceChildren(el('p', { class: 'quiet' }, 'No speech was recognized. If there was any, check the language and the model of the speech server.'), requestButton('Try again'));
        return;
      }
      view = transcriptText(transcript, seconds => {
        if (audio) audio.currentTime = seconds;
      });
      if (manifest) view.color(manifest);
      body.replaceChildren(...transcript.warnings.map(warning => el('p', { class: 'quiet' }, warning)), view.element);
    } catch (error) {
      if (signal.aborted) return;
      body.replaceChildren(el('p', { class: 'error', role: 'alert' }, error.message), el('button', { type: 'button', onclick: load }, 'Load again'));
    }
  }

  function downloads() {
    // Browsers allow access to the clipboard on secure pages only.
    const copy = navigator.clipboard && el('button', { type: 'button', class: 'copy', onclick: async () => {
      try {
        await navigator.clipboard.writeText(await getTranscriptText(id, 'txt', signal));
        copy.textContent = 'Copied';
        announce('The transcript was copied');
      } catch (error) {
        copy.textContent = error.message;
      }
    } }, 'Copy');
    return el('div', {}, copy, formats.map(format => el('a', { href: `/bots/${id}/transcript?format=${format}`, download: `${id}.transcript.${format}` }, format.toUpperCase())));
  }
}

/** The text with its search. */
function transcriptText(transcript, seek) {
  const rows = transcript.segments.map(segment => {
    const label = segment.speaker ?? segment.source ?? 'Unknown';
    const speaker = el('span', { class: 'speaker' }, label);
    const text = el('span', { class: 'said' }, segment.text);
    const row = el('li', { onclick: () => {
      if (!getSelection().toString()) seek(segment.start);
    } },
      el('button', { type: 'button', class: 'moment', 'aria-label': `Play from ${formatDuration(segment.start)}`, onclick: event => {
        event.stopPropagation();
        seek(segment.start);
      } }, formatDuration(segment.start)),
      speaker, text,
      segment.overlaps && el('span', { class: 'quiet overlap' }, `while ${segment.overlaps.join(', ')} spoke`));
    return { segment, speaker, text, row };
  });
  const list = el('ol', { class: 'transcript', lang: /^[a-z]{2,3}$/.test(transcript.language ?? '') ? transcript.language : undefined }, rows.map(({ row }) => row));
  const count = el('span', { class: 'quiet', role: 'status' });
  const query = el('input', { type: 'search', placeholder: 'Search the transcript', 'aria-label': 'Search the transcript', oninput: search, onkeydown: event => {
    if (event.key === 'Enter') show(chosen + (event.shiftKey ? -1 : 1));
  } });
  let current;
  let marks = [];
  let chosen = 0;
  return { element: el('div', {}, el('div', { class: 'transcript-search' }, query, count), list), follow, color };

  /** Marks the segment at this time. While the recording plays, the list scrolls with it. */
  function follow(seconds, isPlaying) {
    const at = rows.findLastIndex(({ segment }) => segment.start <= seconds);
    const next = at >= 0 && seconds < Math.max(rows[at].segment.end, rows[at].segment.start + 1) ? rows[at].row : undefined;
    if (next === current) return;
    current?.removeAttribute('aria-current');
    current = next;
    current?.setAttribute('aria-current', 'true');
    if (current && isPlaying && !query.value && !list.querySelector(':focus-visible')) scrollTo(current);
  }

  /** Gives each speaker the color of the player's lanes. */
  function color(manifest) {
    const colors = new Map(speakersOf(manifest).map(({ key }, index) => [key, index % 6]));
    for (const { segment, speaker } of rows) {
      const voice = colors.get(keyOfSpeaker(segment.speaker, segment.source));
      if (voice !== undefined) speaker.className = `speaker voice-${voice}`;
    }
  }

  function search() {
    const wanted = query.value.trim();
    const pattern = wanted && new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'gi');
    marks = [];
    for (const { segment, text } of rows) {
      const parts = [];
      let end = 0;
      for (const match of pattern ? segment.text.matchAll(pattern) : []) {
        const mark = el('mark', {}, match[0]);
        parts.push(segment.text.slice(end, match.index), mark);
        marks.push(mark);
        end = match.index + match[0].length;
      }
      if (parts.length || text.childElementCount) text.replaceChildren(...parts, segment.text.slice(end));
    }
    show(0);
    if (!marks.length) count.textContent = wanted ? 'Not found' : '';
  }

  function show(index) {
    if (!marks.length) return;
    marks[chosen]?.classList.remove('chosen');
    chosen = (index + marks.length) % marks.length;
    marks[chosen].classList.add('chosen');
    count.textContent = `${chosen + 1} of ${marks.length}`;
    scrollTo(marks[chosen].closest('li'));
  }

  /** Scrolls the list, but not the page. */
  function scrollTo(row) {
    list.scrollTop = row.offsetTop - (list.clientHeight - row.offsetHeight) / 2;
  }
}
