import { deleteBot, finalizeBot, getBot, getManifest, getScreenshots, stopBot, subscribe } from './api.js';
import { showLog } from './bot-log.js';
import { badge, explainReason, isEnded, lossOf, toWords } from './bot-status.js';
import { announce, confirm, el } from './dom.js';
import { downloads } from './downloads.js';
import { formatBytes, formatDateTime, formatDuration, formatTime, levelFraction, meetingLabel, startLabel } from './format.js';
import { player } from './player.js';
import { changeStart } from './start-time.js';
import { phasesOf, phasesOfBot, timeline } from './timeline.js';
import { transcriptCard } from './transcript.js';

const maxLevels = 240;

export function showBot(main, id, setConnection, left) {
  document.title = 'Bot · NewarBots';
  const gone = new AbortController();
  const signal = AbortSignal.any([left, gone.signal]);
  const messages = new Map();
  const levels = [];
  let bot;
  let manifest;
  let fetching = false;
  let isRefreshPending = false;
  let isEndShown = false;
  let isClosed = false;

  const title = el('h1', {}, 'Bot');
  const state = el('p', { class: 'bot-state' });
  const actions = el('div', { class: 'actions' });
  const failure = el('div', { class: 'bot-error', hidden: true });
  const facts = el('dl', { class: 'facts' });
  const phaseBars = timeline();
  const timelineCard = el('section', { class: 'card', 'aria-labelledby': 'timeline-title', hidden: true }, el('h2', { id: 'timeline-title' }, 'Timeline'), phaseBars.element);
  const audio = el('section', { class: 'card', 'aria-labelledby': 'audio-title', hidden: true });
  const transcript = transcriptCard(id, signal, refresh);
  const evidence = el('section', { class: 'card', 'aria-labelledby': 'evidence-title', hidden: true });
  const log = el('section', { class: 'card', 'aria-labelledby': 'log-title' }, el('h2', { id: 'log-title' }, 'Log'), showLog(id, signal));
  const body = el('div', { class: 'bot' },
    failure, el('section', { class: 'card', 'aria-label': 'Details' }, facts),
    timelineCard, audio, transcript.element, evidence, log);
  const view = [el('a', { class: 'back', href: '#/' }, '← All bots'), el('div', { class: 'heading' }, el('div', {}, title, state), actions), body];
  main.append(...view);

  /** One request at a time; calls during a request cause one more. */
  async function refresh() {
    if (fetching) {
      isRefreshPending = true;
      return;
    }
    fetching = true;
    try {
      do {
        isRefreshPending = false;
        show(await getBot(id, signal));
      } while (isRefreshPending);
    } catch (error) {
      if (!signal.aborted) showFailure(error);
    } finally {
      fetching = false;
    }
  }

  function showFailure(error) {
    if (error.status === 404) {
      // An active bot cannot be deleted: after a loss of data in Redis it is missing until the manager restores it.
      if (bot && !isEnded(bot)) return;
      if (bot) {
        showDeleted();
        return;
      }
      gone.abort();
      showMessage('Bot not found', 'It may have been deleted.');
    } else if (!bot) {
      showMessage('Could not load the bot', error.message, el('button', { type: 'button', onclick: refresh }, 'Try again'));
    }
  }

  function showDeleted() {
    gone.abort();
    showMessage(`${bot.botName} was deleted`, 'Its recording, log and evidence were deleted too.');
  }

  /** Replaces the view. */
  function showMessage(heading, text, button) {
    document.title = `${heading} · NewarBots`;
    main.replaceChildren(el('a', { class: 'back', href: '#/' }, '← All bots'), el('div', { class: 'empty', role: 'alert' },
      el('h1', {}, heading), el('p', {}, text), button));
  }

  function show(current) {
    const before = bot;
    bot = current;
    if (!body.isConnected) main.replaceChildren(...view);
    if (before && before.status !== bot.status) announce(`The bot is ${bot.status}`);
    document.title = `${bot.botName}: ${bot.status} · NewarBots`;
    title.textContent = bot.botName;
    state.replaceChildren(badge(bot), ...[startLabel(bot), toWords(bot.reason)].filter(Boolean).map(text => el('span', { class: 'quiet' }, text)));
    const isExplained = bot.status === 'failed' && bot.reason;
    failure.hidden = !bot.error && !isExplained;
    const loss = lossOf(bot);
    failure.hidden &&= !loss;
    failure.replaceChildren(...[loss && el('strong', {}, loss), isExplained && el('strong', {}, explainReason(bot.reason)), bot.error && el('span', {}, isExplained ? `Details: ${bot.error}` : bot.error)].filter(Boolean));
    facts.replaceChildren(...[
      ['Meeting', link(bot.meetingUrl)],
      ['User', bot.userId],
      ['Created', formatDateTime(bot.createdAt)],
      ['Scheduled start', bot.startAt ? formatDateTime(bot.startAt) : undefined],
      ['Recorded', bot.recordedSeconds ? formatDuration(bot.recording?.durationSeconds ?? bot.recordedSeconds) : undefined],
      ['Audible', bot.audibleSeconds === undefined ? undefined : formatDuration(bot.audibleSeconds)],
      ['Other participants', isEnded(bot) ? undefined : bot.participants],
      ['File size', bot.recording ? formatBytes(bot.recording.bytes) : undefined],
      ['Missing', bot.recording?.missingSeconds ? `${bot.recording.missingSeconds.toFixed(bot.recording.missingSeconds < 1 ? 2 : 1)} s` : undefined],
      ['Container', bot.containerName],
      ['Trace', bot.traceUrl && el('a', { href: bot.traceUrl, rel: 'noreferrer', target: '_blank' }, 'Open in the dashboard')],
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
    transcript.update(bot);
    drawTimeline();
  }

  function link(address) {
    const url = new URL(address);
    return ['http:', 'https:'].includes(url.protocol)
      ? el('a', { href: address, rel: 'noreferrer', target: '_blank', title: address }, meetingLabel(address)) : address;
  }

  function showActions() {
    const hadFocus = actions.contains(document.activeElement);
    actions.replaceChildren(...(isEnded(bot) || bot.status === 'finalizing'
      ? [
        ...(bot.status === 'failed' && bot.reason === 'finalization_failed' ? [el('button', { type: 'button', onclick: tryAgain }, 'Try again')] : []),
        el('button', { type: 'button', class: 'danger', onclick: askDelete }, 'Delete'),
      ]
      : bot.status === 'scheduled'
        ? [el('button', { type: 'button', onclick: () => changeStart(bot, refresh) }, 'Change start'), el('button', { type: 'button', onclick: askCancel }, 'Cancel')]
        : [el('button', { type: 'button', onclick: askStop }, 'Stop')]));
    if (hadFocus) actions.firstChild.focus();
  }

  const askStop = () => confirm(
    { title: 'Stop this bot?', text: 'It leaves the meeting now. Its recording is kept.', yes: 'Stop' },
    async () => { await stopBot(id); refresh(); });

  const askCancel = () => confirm(
    { title: 'Cancel this bot?', text: 'It will not join the meeting.', yes: 'Cancel bot', no: 'Keep bot' },
    async () => { await stopBot(id); refresh(); });

  async function tryAgain() {
    const isDone = await confirm(
      { title: 'Try again?', text: 'The recorded audio is assembled once more.', yes: 'Try again' }, () => finalizeBot(id));
    // The event stream of an ended bot is closed, so the view opens again.
    if (isDone) dispatchEvent(new HashChangeEvent('hashchange'));
  }

  async function askDelete() {
    const isDone = await confirm(
      { title: 'Delete this bot?', text: 'Its recording, log and evidence are permanently deleted.', yes: 'Delete', danger: true }, () => deleteBot(id));
    if (!isDone) return;
    announce('The bot was deleted');
    location.hash = '#/';
  }

  function drawTimeline() {
    if (!bot) return;
    const reported = phasesOf(messages);
    const start = manifest?.startedAt ? Date.parse(manifest.startedAt) : undefined;
    const gaps = start === undefined ? [] : manifest.gaps.map(gap => ({ from: start + gap.startSeconds * 1000, to: start + gap.endSeconds * 1000, cause: toWords(gap.cause) }));
    const phases = reported.length ? reported : phasesOfBot(bot);
    timelineCard.hidden = !phases.length;
    phaseBars.draw(bot, phases, gaps);
  }

  let live;
  function showLive() {
    if (!live) {
      const bar = el('span', { class: 'bar-level' });
      const text = el('span', { class: 'quiet' });
      const history = el('div', { class: 'levels', role: 'img', 'aria-label': 'Audio level so far' });
      const listen = el('button', { type: 'button', onclick: () => {
        listen.replaceWith(el('audio', { controls: true, autoplay: true, src: `/bots/${id}/recording?partial=true`, 'aria-label': 'Recording so far' }));
      } }, 'Listen to the recording so far');
      live = { bar, text, history, listen };
      audio.replaceChildren(el('h2', { id: 'audio-title' }, 'Live audio'), history, el('div', { class: 'live' }, el('span', { class: 'level wide' }, bar), text), listen);
    }
    audio.hidden = false;
    live.listen.hidden = !(bot.chunks > 1);
    live.bar.style.setProperty('--level', levelFraction(bot.level));
    live.text.textContent = bot.level === undefined ? 'No audio level yet' : bot.level <= -127 ? 'Silence' : `${bot.level} dBFS`;
    live.history.hidden = !levels.length;
    live.history.replaceChildren(...levels.map(level => {
      const column = el('span');
      column.style.height = `${Math.max(3, levelFraction(level) * 100)}%`;
      return column;
    }));
  }

  async function showEnd() {
    isEndShown = true;
    showEvidence();
    audio.hidden = false;
    if (!bot.recording) {
      audio.replaceChildren(el('h2', { id: 'audio-title' }, 'Recording'), el('p', { class: 'quiet' }, 'Nothing was recorded.'));
      return;
    }
    const heading = el('div', { class: 'card-heading' }, el('h2', { id: 'audio-title' }, 'Recording'), downloads(bot, signal));
    audio.replaceChildren(heading, el('p', { class: 'quiet' }, 'Loading the recording…'));
    try {
      manifest = await getManifest(id, signal);
      audio.replaceChildren(heading, player(bot, manifest, signal));
      transcript.attach(audio.querySelector('audio'), manifest);
      drawTimeline();
    } catch (error) {
      if (signal.aborted) return;
      isEndShown = false;
      audio.replaceChildren(heading, el('p', { class: 'error', role: 'alert' }, error.message));
    }
  }

  async function showEvidence() {
    const screenshots = await getScreenshots(id, signal).catch(() => []);
    if (!screenshots.length && bot.status !== 'failed') return;
    evidence.hidden = false;
    evidence.replaceChildren(
      el('div', { class: 'card-heading' }, el('h2', { id: 'evidence-title' }, 'Evidence'),
        el('a', { href: `/bots/${id}/evidence`, download: `${id}.evidence.zip` }, 'Download all (ZIP)')),
      el('div', { class: 'screenshots' }, screenshots.map(shot => el('figure', {},
        el('a', { href: shot.url, target: '_blank' }, el('img', { src: shot.url, loading: 'lazy', alt: `Screenshot of the bot’s browser at ${formatTime(shot.takenAt)}` })),
        el('figcaption', {}, `The bot’s browser at ${formatTime(shot.takenAt)}${shot.occasion === bot.reason ? `. ${explainReason(bot.reason)}` : `: ${toWords(shot.occasion)}`}`)))));
  }

  const source = subscribe(`/bots/${id}/events`, {
    open: () => {
      setConnection('live');
      if (!bot) refresh();
    },
    error: (_, from) => {
      if (isClosed) return;
      setConnection('lost');
      // The stream closes for good if the bot has ended or does not exist.
      if (from.readyState === EventSource.CLOSED) refresh().then(() => bot && isEnded(bot) && end());
    },
    status: message => {
      const isNew = !messages.has(message.sequence);
      messages.set(message.sequence, message);
      if (isNew && message.status === 'recording' && message.level !== undefined) {
        levels.push(message.level);
        if (levels.length > maxLevels) levels.shift();
      }
      refreshSoon();
    },
    end: ended => {
      show(ended);
      end();
    },
  });

  let pendingRefresh;
  function refreshSoon() {
    pendingRefresh ??= setTimeout(() => {
      pendingRefresh = undefined;
      if (!isClosed) refresh();
    }, 100);
  }

  const tick = setInterval(() => {
    if (bot && !isEnded(bot)) drawTimeline();
  }, 1000);

  function end() {
    if (isClosed) return;
    close();
    setConnection('ended');
    // An ended bot can still be deleted.
    const watch = subscribe(`/bots/events?userId=${bot.userId}`, {
      open: refresh,
      deleted: deletion => deletion.id === id && showDeleted(),
      ...Object.fromEntries(['bot', 'transcript.completed', 'transcript.failed'].map(type => [type, changed => changed.id === id && refresh()])),
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
