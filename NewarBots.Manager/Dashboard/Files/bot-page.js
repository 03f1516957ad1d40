import { deleteBot, finalizeBot, getBot, getManifest, session, stopBot, subscribe } from './api.js';
import { editBot } from './bot-edit.js';
import { showEvidence } from './bot-evidence.js';
import { listAddress } from './bot-list.js';
import { liveAudio } from './bot-live.js';
import { showLog } from './bot-log.js';
import { liveScreenshot } from './bot-screenshot.js';
import { badge, explainReason, isEnded, lossOf, plainError, toWords } from './bot-status.js';
import { actionFor } from './docs-page.js';
import { announce, confirm, copyButton, el, toast } from './dom.js';
import { downloads } from './downloads.js';
import { formatBytes, formatDateTime, formatDuration, meetingLabel, startLabel } from './format.js';
import { participantsCard } from './participants.js';
import { player } from './player.js';
import { changeStart } from './start-time.js';
import { phasesOf, phasesOfBot, timeline } from './timeline.js';
import { transcriptCard } from './transcript.js';

export function showBot(main, id, setConnection, left) {
  document.title = 'Bot · NewarBots';
  const gone = new AbortController();
  const signal = AbortSignal.any([left, gone.signal]);
  const messages = new Map();
  const live = liveAudio(id);
  const participants = participantsCard(id, signal, names => live.showSpeakers(names));
  const screenshot = liveScreenshot(id, signal);
  let bot;
  let manifest;
  let fetching = false;
  let isRefreshPending = false;
  let isEndShown = false;
  let isClosed = false;

  const title = el('h1', {}, 'Bot');
  const state = el('p', { class: 'bot-state' });
  const actions = el('div', { class: 'actions' });
  const tools = el('div', { class: 'tools' });
  const failure = el('div', { class: 'bot-error', hidden: true });
  const facts = el('dl', { class: 'facts' });
  const phaseBars = timeline();
  const timelineFold = fold('Timeline', phaseBars.element);
  const evidenceFold = fold('Evidence');
  const logFold = fold('Log');
  const audio = el('section', { class: 'card', 'aria-labelledby': 'audio-title', hidden: true });
  const transcript = transcriptCard(id, signal, refresh);
  const body = el('div', { class: 'bot' },
    failure, screenshot.element, audio, transcript.element, participants.element, el('section', { class: 'card', 'aria-label': 'Details' }, facts),
    el('section', { class: 'diagnostics', 'aria-labelledby': 'diagnostics-title' }, el('h2', { id: 'diagnostics-title' }, 'Diagnostics'),
      timelineFold.element, evidenceFold.element, logFold.element));
  const view = [el('a', { class: 'back', href: listAddress() }, '← All bots'), el('div', { class: 'heading' }, el('div', {}, title, state), actions), tools, body];
  evidenceFold.element.hidden = true;
  body.hidden = true;
  main.append(...view);
  logFold.whenOpen(() => logFold.fill(showLog(id, Date.parse(bot.createdAt), signal)));

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
      showMessage('Bot not found', `There is no bot with the id ${id}. It may have been deleted, or the address is mistyped.`);
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
    // A view that is gone for good has no connection to report.
    if (gone.signal.aborted) setConnection('none');
    document.title = `${heading} · NewarBots`;
    main.replaceChildren(el('a', { class: 'back', href: listAddress() }, '← All bots'), el('div', { class: 'empty', role: 'alert' },
      el('h1', {}, heading), el('p', {}, text), button));
  }

  function show(current) {
    const before = bot;
    bot = current;
    if (!body.isConnected) main.replaceChildren(...view);
    body.hidden = false;
    if (before && before.status !== bot.status) announce(`The bot is ${bot.status}`);
    document.title = `${bot.botName}: ${bot.status} · NewarBots`;
    title.textContent = bot.botName;
    state.replaceChildren(badge(bot), ...[startLabel(bot), toWords(bot.reason)].filter(Boolean).map(text => el('span', { class: 'quiet' }, text)));
    if (!before) showTools();
    if (before?.reason !== bot.reason || before?.status !== bot.status || before?.error !== bot.error) showTrouble();
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
    // A bot without a recording is about its course.
    if (!before && !bot.recording) timelineFold.element.open = true;
    transcript.update(bot);
    participants.show(bot);
    screenshot.show(bot);
    drawTimeline();
  }

  function link(address) {
    const url = new URL(address);
    return ['http:', 'https:'].includes(url.protocol)
      ? el('a', { href: address, rel: 'noreferrer', target: '_blank', title: address }, meetingLabel(address)) : address;
  }

  function showTools() {
    const curl = `curl -s ${location.origin}/bots/${id}${session.keyId ? ' -H "X-API-Key: $KEY"' : ''}`;
    tools.replaceChildren(
      el('button', { type: 'button', class: 'small', onclick: () => editBot(bot, refresh) }, 'Edit'),
      screenshot.button,
      copyButton('Copy link', () => `${location.origin}/#/bots/${id}`, 'The link to this page is copied'),
      copyButton('Copy id', () => id, 'The id is copied'),
      copyButton('Copy curl', () => curl, 'The curl command is copied'),
      ...(bot.traceUrl ? [el('a', { href: bot.traceUrl, rel: 'noreferrer', target: '_blank' }, 'Trace')] : []));
  }

  /** Says what went wrong and what to do. The action arrives later. */
  async function showTrouble() {
    const { status, reason } = bot;
    const isExplained = reason && (status === 'failed' || status === 'recording' || status === 'scheduled');
    const loss = lossOf(bot);
    const details = plainError(bot);
    failure.hidden = !loss && !isExplained && !details;
    failure.className = `bot-error ${status === 'failed' ? '' : 'is-warning'}`;
    failure.replaceChildren(...[
      loss && el('strong', {}, loss),
      isExplained && el('strong', {}, status === 'scheduled' ? `The bot waits: ${toWords(reason)}.` : explainReason(reason)),
      details && el('span', {}, details),
    ].filter(Boolean));
    if (!isExplained && !loss) return;
    const cause = loss ? bot.recording.warning?.reason ?? reason : reason;
    const action = await actionFor(cause);
    if (signal.aborted || bot.status !== status || bot.reason !== reason) return;
    failure.append(el('span', { class: 'advice' }, action ?? '', action ? ' ' : '', el('a', { href: `#/docs/reasons/${loss ? 'gaps' : cause}` }, loss ? 'About gaps' : 'About this reason')));
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
    { title: `Stop ${bot.botName}?`, text: 'It leaves the meeting now. Its recording is kept.', yes: 'Stop' },
    async () => {
      await stopBot(id);
      toast(`${bot.botName} is leaving`);
      refresh();
    });

  const askCancel = () => confirm(
    { title: `Cancel ${bot.botName}?`, text: `It will not join ${meetingLabel(bot.meetingUrl)}.`, yes: 'Cancel bot', no: 'Keep bot' },
    async () => {
      await stopBot(id);
      toast(`${bot.botName} is cancelled`);
      refresh();
    });

  async function tryAgain() {
    const isDone = await confirm(
      { title: `Try ${bot.botName} again?`, text: 'The recorded audio is assembled once more.', yes: 'Try again' }, () => finalizeBot(id));
    // The event stream of an ended bot is closed, so the view opens again.
    if (isDone) dispatchEvent(new HashChangeEvent('hashchange'));
  }

  async function askDelete() {
    const what = bot.recording ? `Its recording of ${formatDuration(bot.recording.durationSeconds)}, its log and its evidence` : 'Its log and its evidence';
    const isDone = await confirm(
      { title: `Delete ${bot.botName}?`, text: `The bot of ${formatDateTime(bot.createdAt)} in ${meetingLabel(bot.meetingUrl)}. ${what} are permanently deleted.`, yes: 'Delete', danger: true },
      () => deleteBot(id));
    if (!isDone) return;
    toast(`${bot.botName} is deleted`);
    location.hash = listAddress();
  }

  function drawTimeline() {
    if (!bot) return;
    const reported = phasesOf(messages);
    const start = manifest?.startedAt ? Date.parse(manifest.startedAt) : undefined;
    const gaps = start === undefined ? [] : manifest.gaps.map(gap => ({ from: start + gap.startSeconds * 1000, to: start + gap.endSeconds * 1000, cause: toWords(gap.cause) }));
    const phases = reported.length ? reported : phasesOfBot(bot);
    timelineFold.element.hidden = !phases.length;
    phaseBars.draw(bot, phases, gaps);
  }

  function showLive() {
    if (!live.element.isConnected) audio.replaceChildren(el('h2', { id: 'audio-title' }, 'Live audio'), live.element);
    audio.hidden = false;
    live.show(bot);
  }

  async function showEnd() {
    isEndShown = true;
    showEvidence(evidenceFold, bot, signal);
    audio.hidden = false;
    if (!bot.recording) {
      audio.replaceChildren(el('h2', { id: 'audio-title' }, 'Recording'), el('p', { class: 'quiet' }, 'Nothing was recorded.'));
      return;
    }
    const files = downloads(bot, signal);
    const heading = el('div', { class: 'card-heading' }, el('h2', { id: 'audio-title' }, 'Recording'), files.element);
    audio.replaceChildren(heading, el('p', { class: 'quiet' }, 'Loading the recording…'));
    try {
      manifest = await getManifest(id, signal);
      const opened = player(bot, manifest, signal);
      audio.replaceChildren(...[heading, opened.element, files.tracks(manifest)].filter(Boolean));
      transcript.attach(opened.audio, manifest);
      drawTimeline();
    } catch (error) {
      if (signal.aborted) return;
      isEndShown = false;
      audio.replaceChildren(heading, el('p', { class: 'error', role: 'alert' }, error.message));
    }
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
      if (isNew && message.status === 'recording' && message.level !== undefined) live.addLevel(message.level);
      refreshSoon();
    },
    ...Object.fromEntries(['participant.joined', 'participant.left', 'speaker.started', 'speaker.stopped'].map(type => [type, () => bot && participants.show(bot)])),
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

/** A card that unfolds. Its content can be made when it is first opened. */
function fold(title, content) {
  const body = el('div', { class: 'fold-body' }, content);
  const hint = el('span', { class: 'quiet' });
  const element = el('details', { class: 'card fold' }, el('summary', {}, el('h3', {}, title), hint), body);
  return {
    element,
    setHint(text) {
      hint.textContent = text;
    },
    fill: (...nodes) => body.replaceChildren(...nodes),
    whenOpen(make) {
      element.addEventListener('toggle', () => element.open && make(), { once: true });
    },
  };
}
