import { deleteBot, events, getBot, getManifest, getPictures, stopBot } from './api.js';
import { announce, confirm, el } from './dom.js';
import { downloads } from './downloads.js';
import { showLog } from './log.js';
import { player } from './player.js';
import { changeStart } from './schedule.js';
import { phasesOf, phasesOfRecord, timeLine } from './timeline.js';
import { badge, bytes, dateTime, explain, isEnded, length, loudness, meeting, phrase, starts, timeOfDay } from './words.js';

const mostLevels = 240;

export function showBot(main, id, setConnection, left) {
  document.title = 'Bot · NewarBots';
  const gone = new AbortController();
  const signal = AbortSignal.any([left, gone.signal]);
  const messages = new Map();
  const levels = [];
  let bot;
  let manifest;
  let fetching = false;
  let isAskedAgain = false;
  let isEndShown = false;
  let isClosed = false;

  const title = el('h1', {}, 'Bot');
  const state = el('p', { class: 'bot-state' });
  const actions = el('div', { class: 'actions' });
  const fault = el('div', { class: 'bot-error', hidden: true });
  const facts = el('dl', { class: 'facts' });
  const line = timeLine();
  const happened = el('section', { class: 'card', 'aria-labelledby': 'line-title', hidden: true }, el('h2', { id: 'line-title' }, 'Time line'), line.element);
  const audio = el('section', { class: 'card', 'aria-labelledby': 'audio-title', hidden: true });
  const pictures = el('section', { class: 'card', 'aria-labelledby': 'pictures-title', hidden: true });
  const log = el('section', { class: 'card', 'aria-labelledby': 'log-title' }, el('h2', { id: 'log-title' }, 'Log'), showLog(id, signal));
  const body = el('div', { class: 'bot' },
    fault, el('section', { class: 'card', 'aria-label': 'Facts' }, facts),
    happened, audio, pictures, log);
  const view = [el('a', { class: 'back', href: '#/' }, '← All bots'), el('div', { class: 'heading' }, el('div', {}, title, state), actions), body];
  main.append(...view);

  /** One look at a time; what is asked for meanwhile is one more. */
  async function refresh() {
    if (fetching) {
      isAskedAgain = true;
      return;
    }
    fetching = true;
    try {
      do {
        isAskedAgain = false;
        show(await getBot(id, signal));
      } while (isAskedAgain);
    } catch (error) {
      if (!signal.aborted) fail(error);
    } finally {
      fetching = false;
    }
  }

  function fail(error) {
    if (error.status === 404) {
      // Nobody deletes an active one: it is only not known for a moment, where Redis was emptied.
      if (bot && !isEnded(bot)) return;
      if (bot) {
        sayDeleted();
        return;
      }
      gone.abort();
      say('There is no such bot', 'It may have been deleted.');
    } else if (!bot) {
      say('The bot cannot be shown', error.message, el('button', { type: 'button', onclick: refresh }, 'Try again'));
    }
  }

  function sayDeleted() {
    gone.abort();
    say(`${bot.botName} was deleted`, 'Its recording, log and evidence are gone.');
  }

  /** Instead of the bot. */
  function say(heading, text, button) {
    document.title = `${heading} · NewarBots`;
    main.replaceChildren(el('a', { class: 'back', href: '#/' }, '← All bots'), el('div', { class: 'empty', role: 'alert' },
      el('h1', {}, heading), el('p', {}, text), button));
  }

  function show(now) {
    const before = bot;
    bot = now;
    if (!body.isConnected) main.replaceChildren(...view);
    if (before && before.status !== bot.status) announce(`The bot is ${bot.status}`);
    document.title = `${bot.botName}: ${bot.status} · NewarBots`;
    title.textContent = bot.botName;
    state.replaceChildren(badge(bot), ...[starts(bot), phrase(bot.reason)].filter(Boolean).map(text => el('span', { class: 'quiet' }, text)));
    const isExplained = bot.status === 'failed' && bot.reason;
    fault.hidden = !bot.error && !isExplained;
    fault.replaceChildren(...[isExplained && el('strong', {}, explain(bot.reason)), bot.error && el('span', {}, isExplained ? `Details: ${bot.error}` : bot.error)].filter(Boolean));
    facts.replaceChildren(...[
      ['Meeting', link(bot.meetingUrl)],
      ['User', bot.userId],
      ['Sent', dateTime(bot.createdAt)],
      [bot.status === 'scheduled' ? 'Starts' : 'Was to start', bot.startAt ? dateTime(bot.startAt) : undefined],
      ['Recorded', bot.recordedSeconds ? length(bot.recording?.durationSeconds ?? bot.recordedSeconds) : undefined],
      ['Audible', bot.audibleSeconds === undefined ? undefined : length(bot.audibleSeconds)],
      ['Others in the call', isEnded(bot) ? undefined : bot.participants],
      ['File', bot.recording ? `${bytes(bot.recording.bytes)}${bot.recording.complete ? '' : ', something is missing'}` : undefined],
      ['Container', bot.containerName],
      ...Object.entries(bot.metadata ?? {}),
    ].filter(([, value]) => value !== undefined && value !== null && value !== '').map(([name, value]) => el('div', { class: name === 'Container' ? 'wide' : undefined }, el('dt', {}, name), el('dd', {}, value))));
    if (before?.status !== bot.status) showActions();
    if (isEnded(bot)) {
      if (!isEndShown) showEnd();
    } else if (bot.status === 'recording') {
      showLive();
    } else if (before?.status === 'recording') {
      audio.hidden = true;
    }
    drawLine();
  }

  function link(address) {
    const url = new URL(address);
    return ['http:', 'https:'].includes(url.protocol)
      ? el('a', { href: address, rel: 'noreferrer', target: '_blank', title: address }, meeting(address)) : address;
  }

  function showActions() {
    const hadFocus = actions.contains(document.activeElement);
    actions.replaceChildren(...(isEnded(bot)
      ? [el('button', { type: 'button', class: 'danger', onclick: askDelete }, 'Delete')]
      : bot.status === 'scheduled'
        ? [el('button', { type: 'button', onclick: () => changeStart(bot, refresh) }, 'Change start'), el('button', { type: 'button', onclick: askCancel }, 'Cancel')]
        : [el('button', { type: 'button', onclick: askStop }, 'Stop')]));
    if (hadFocus) actions.firstChild.focus();
  }

  const askStop = () => confirm(
    { title: 'Stop this bot?', text: 'It leaves the meeting now. What it has recorded is kept.', yes: 'Stop' },
    async () => { await stopBot(id); refresh(); });

  const askCancel = () => confirm(
    { title: 'Cancel this bot?', text: 'It will not go to the meeting.', yes: 'Cancel it', no: 'Keep it' },
    async () => { await stopBot(id); refresh(); });

  async function askDelete() {
    const isDone = await confirm(
      { title: 'Delete this bot?', text: 'Its recording, log and evidence are removed for good.', yes: 'Delete', danger: true }, () => deleteBot(id));
    if (!isDone) return;
    announce('The bot is deleted');
    location.hash = '#/';
  }

  function drawLine() {
    if (!bot) return;
    const said = phasesOf(messages);
    const start = manifest?.startedAt ? Date.parse(manifest.startedAt) : undefined;
    const gaps = start === undefined ? [] : manifest.gaps.map(gap => ({ from: start + gap.startSeconds * 1000, to: start + gap.endSeconds * 1000, cause: phrase(gap.cause) }));
    const phases = said.length ? said : phasesOfRecord(bot);
    happened.hidden = !phases.length;
    line.draw(bot, phases, gaps);
  }

  let live;
  function showLive() {
    if (!live) {
      const bar = el('span', { class: 'bar-level' });
      const text = el('span', { class: 'quiet' });
      const past = el('div', { class: 'levels', role: 'img', 'aria-label': 'Loudness so far' });
      const listen = el('button', { type: 'button', onclick: () => {
        listen.replaceWith(el('audio', { controls: true, autoplay: true, src: `/bots/${id}/recording?partial=true`, 'aria-label': 'Recording so far' }));
      } }, 'Listen to what there is so far');
      live = { bar, text, past, listen };
      audio.replaceChildren(el('h2', { id: 'audio-title' }, 'What it hears'), past, el('div', { class: 'live' }, el('span', { class: 'level wide' }, bar), text), listen);
    }
    audio.hidden = false;
    live.listen.hidden = !(bot.chunks > 1);
    live.bar.style.setProperty('--level', loudness(bot.level));
    live.text.textContent = bot.level === undefined ? 'No level yet' : bot.level <= -127 ? 'Silence' : `${bot.level} dBFS`;
    live.past.hidden = !levels.length;
    live.past.replaceChildren(...levels.map(level => {
      const column = el('span');
      column.style.height = `${Math.max(3, loudness(level) * 100)}%`;
      return column;
    }));
  }

  async function showEnd() {
    isEndShown = true;
    showPictures();
    audio.hidden = false;
    if (!bot.recording) {
      audio.replaceChildren(el('h2', { id: 'audio-title' }, 'Recording'), el('p', { class: 'quiet' }, 'Nothing was recorded.'));
      return;
    }
    const heading = el('div', { class: 'card-heading' }, el('h2', { id: 'audio-title' }, 'Recording'), downloads(bot, signal));
    audio.replaceChildren(heading, el('p', { class: 'quiet' }, 'Reading what was recorded…'));
    try {
      manifest = await getManifest(id, signal);
      audio.replaceChildren(heading, player(bot, manifest, signal));
      drawLine();
    } catch (error) {
      if (signal.aborted) return;
      isEndShown = false;
      audio.replaceChildren(heading, el('p', { class: 'fault', role: 'alert' }, error.message));
    }
  }

  async function showPictures() {
    const taken = await getPictures(id, signal).catch(() => []);
    if (!taken.length && bot.status !== 'failed') return;
    pictures.hidden = false;
    pictures.replaceChildren(
      el('div', { class: 'card-heading' }, el('h2', { id: 'pictures-title' }, 'Evidence'),
        el('a', { href: `/bots/${id}/evidence`, download: `${id}.evidence.zip` }, 'Download all (zip)')),
      el('div', { class: 'pictures' }, taken.map(picture => el('figure', {},
        el('a', { href: picture.url, target: '_blank' }, el('img', { src: picture.url, loading: 'lazy', alt: `What the bot’s browser showed at ${timeOfDay(picture.takenAt)}` })),
        el('figcaption', {}, `What the bot’s browser showed at ${timeOfDay(picture.takenAt)}${picture.occasion === bot.reason ? `. ${explain(bot.reason)}` : `: ${phrase(picture.occasion)}`}`)))));
  }

  const source = events(`/bots/${id}/events`, {
    open: () => {
      setConnection('live');
      if (!bot) refresh();
    },
    error: (_, from) => {
      // An end without a retry: there is no such bot, or nothing more is to come.
      if (isClosed) return;
      setConnection('away');
      if (from.readyState === EventSource.CLOSED) refresh().then(() => bot && isEnded(bot) && end());
    },
    status: message => {
      const isNew = !messages.has(message.sequence);
      messages.set(message.sequence, message);
      if (isNew && message.status === 'recording' && message.level !== undefined) {
        levels.push(message.level);
        if (levels.length > mostLevels) levels.shift();
      }
      later();
    },
    end: ended => {
      show(ended);
      end();
    },
  });

  let scheduled;
  function later() {
    scheduled ??= setTimeout(() => {
      scheduled = undefined;
      if (!isClosed) refresh();
    }, 100);
  }

  const tick = setInterval(() => {
    if (bot && !isEnded(bot)) drawLine();
  }, 1000);

  function end() {
    if (isClosed) return;
    close();
    setConnection('ended');
    // All that can still happen to it.
    const watch = events(`/bots/events?userId=${bot.userId}`, {
      open: refresh,
      deleted: deletion => deletion.id === id && sayDeleted(),
    });
    signal.addEventListener('abort', watch.close);
  }

  function close() {
    isClosed = true;
    source.close();
    clearInterval(tick);
  }

  addEventListener('online', refresh, { signal });
  signal.addEventListener('abort', close);
  refresh();
}
