// The call: participants, toolbar, notices and the end.
import { addToggles, cloneTemplate, guest, onScreenLeft, openDialog, replaceButtons, scenario, sendAway, showScreen, withApostrophes } from './screens.js';
import { blockCaptureFor } from './capture-blocking.js';
import { crash, misbehaviors } from './misbehaviors.js';
import { openVoices } from './voices.js';

const { call, audio, participants } = scenario;
const captureBlockedFor = 10; // seconds
const toolbarHidesAfter = 5000;
const answerTimeout = 20_000;

const notices = {
  Recording: { heading: 'This call is being recorded', text: 'By joining, you consent to being recorded' },
  Transcription: { heading: 'This call is being transcribed', text: 'By joining, you consent to being transcribed' },
  Gemini: { heading: 'Gemini is taking notes', text: 'By joining, you consent to notes being taken of what you say' },
};

// A guest who does not answer in time, or before the call ends, is removed.
const unanswered = new Set();
const expectAnswer = () => {
  const timer = setTimeout(removeGuest, answerTimeout);
  unanswered.add(timer);
  return timer;
};
const acceptAnswer = timer => {
  clearTimeout(timer);
  unanswered.delete(timer);
};

const showNotice = onAnswer => {
  const timer = expectAnswer();
  openDialog({ ...notices[call.notice], other: 'Leave', answer: 'Join now' }, () => {
    acceptAnswer(timer);
    onAnswer?.();
  }, () => showScreen('left'));
  return timer;
};

const questions = {
  StillThere: { heading: 'Are you still there?', text: 'You are the only one in this call', other: 'Leave now', answer: 'Stay in the call' },
  Share: {
    heading: 'Your call audio and video will be shared with Fireflies Notetaker', text: 'Only stay if you agree', other: 'Leave', answer: 'Join now',
  },
  Unknown: { heading: 'A quick check', text: 'Nobody has said anything for a while', other: 'Leave', answer: 'I like it here' },
};

const ask = kind => {
  const timer = expectAnswer();
  openDialog(questions[kind], () => acceptAnswer(timer), () => showScreen('left'));
  return timer;
};

const showMessage = text => { showScreen('message')('heading').textContent = withApostrophes(text); };

const removedTexts = {
  Were: 'You were removed from the meeting',
  Someone: 'Someone removed you from the meeting',
  CannotRejoin: "You can't rejoin this meeting",
};

const removeGuest = () => {
  if (call.removedText === 'SentAway') sendAway();
  else if (call.removedText in removedTexts) showMessage(removedTexts[call.removedText]);
  else showScreen('removed');
};

const endedScreens = {
  Host: () => showScreen('ended-by-host'),
  Call: () => showScreen('ended'),
  Meeting: () => showMessage('This meeting has ended'),
  YourCall: () => showMessage('Your call has ended'),
};

export const enterCall = () => {
  if (call.isMutedOnly && (guest.microphone || guest.camera)) {
    removeGuest();
  } else if (call.notice && call.noticeAfter === 0) {
    const slot = showScreen('call');
    const timer = showNotice(startCall);
    onScreenLeft(() => clearTimeout(timer));
    slot('leave').addEventListener('click', () => showScreen('left'));
  } else {
    startCall();
  }
};

const startCall = () => {
  const slot = showScreen('call');
  const timers = [];
  const elapsed = call.epoch === null ? 0 : Date.now() / 1000 - call.epoch;
  if (audio.captureBlocking !== 'Never') blockCaptureFor(audio.captureBlocking === 'Once' ? captureBlockedFor : Infinity);
  const voices = openVoices(audio, participants, elapsed, participant => updateTile(participant));
  const isRequested = scenario.structure === 'Requested';
  const present = new Map(); // participant -> tile
  const presentations = new Map(); // participant -> tile
  if (isRequested) replaceButtons(slot('room'));
  const people = slot('people'), toolbar = slot('toolbar');
  let isMiscounting = false;

  // Times are seconds of the meeting's clock; actions in the past are skipped.
  const at = (seconds, action) => {
    if (seconds !== null && seconds >= elapsed) timers.push(setTimeout(action, (seconds - elapsed) * 1000));
  };
  const during = (span, change) => {
    at(span?.from ?? null, () => change(true));
    at(span?.to ?? null, () => change(false));
  };

  const addTile = (name, id) => {
    const tile = cloneTemplate('tile').firstElementChild;
    const label = tile.querySelector('[data-slot="name"]');
    label.textContent = name;
    if (isRequested) {
      tile.dataset.requestedParticipantId = `spaces/rehearsal/devices/${id}`;
      label.classList.remove('notranslate');
      label.dataset.selfName = 'You';
    } else tile.dataset.participantId = `spaces/rehearsal/devices/${id}`;
    tile.querySelector('[data-slot="initial"]').textContent = [...name][0].toUpperCase();
    tile.classList.add(`colour-${id}`);
    slot('tiles').append(tile);
    return tile;
  };

  const updateCount = () => {
    const number = isMiscounting ? 1 : present.size + 1;
    slot('tiles').dataset.count = Math.min(number, 6);
    if (call.isUncounted) return;
    people.setAttribute('aria-label', isRequested ? 'People' : `People - ${number} joined`);
    slot('badge').dataset.avatarCount = number;
    slot('badge-text').textContent = number;
  };

  const updateTile = participant => {
    const tile = present.get(participant);
    tile?.classList.toggle('speaking', voices.isSpeaking(participant));
    tile?.classList.toggle('muted', !voices.isSpeaking(participant));
  };

  const arrive = participant => {
    present.set(participant, addTile(participant.name, participants.indexOf(participant)));
    if (participant.isPresenting) presentations.set(participant, addTile(`${participant.name} (Presentation)`, `presentation-${participants.indexOf(participant)}`));
    slot('announcement').textContent = `${participant.name} joined`;
    voices.connect(participant);
    updateCount();
    updateTile(participant);
  };

  const depart = participant => {
    voices.disconnect(participant);
    present.get(participant).remove();
    presentations.get(participant)?.remove();
    present.delete(participant);
    slot('announcement').textContent = `${participant.name} left the meeting`;
    updateCount();
  };

  const self = addTile(guest.name, 'self');
  self.classList.add('self');
  const updateDevices = () => {
    self.classList.toggle('muted', !guest.microphone);
    if (call.isMutedOnly && (guest.microphone || guest.camera)) removeGuest();
  };
  addToggles(slot('toggles'), ['dark'], updateDevices);
  updateDevices();

  updateCount();
  if (call.isUncounted) {
    people.setAttribute('aria-label', 'People');
    slot('badge').remove();
  }
  for (const participant of participants) {
    if (participant.leavesAt !== null && participant.leavesAt <= elapsed) continue;
    if (participant.joinsAt <= elapsed) arrive(participant);
    else at(participant.joinsAt, () => arrive(participant));
    at(participant.leavesAt, () => depart(participant));
  }

  at(call.miscountAt, () => {
    isMiscounting = true;
    updateCount();
  });
  if (call.hasStaleCount) slot('room').prepend(cloneTemplate('stale-counts'));
  at(call.bannerAt, () => slot('room').append(cloneTemplate('other-room')));
  for (const { kind, at: second } of call.questions) at(second, () => timers.push(ask(kind)));

  const onEachConnection = act => voices.connections().forEach(act);
  at(audio.recreateAt, () => onEachConnection(connection => connection.recreate()));
  at(audio.replaceAt, () => onEachConnection(connection => connection.replaceTracks()));
  at(audio.renegotiateAt, () => onEachConnection(connection => connection.renegotiate()));
  at(audio.swapAt, () => onEachConnection(connection => connection.swapStreams()));
  during(audio.networkLost, isLost => onEachConnection(connection => connection.setLost(isLost)));
  during(audio.mutes, isMuted => onEachConnection(connection => connection.setMuted(isMuted)));

  // The sound and the controls go away, but nothing on the page says that the call has ended.
  const banner = cloneTemplate('reconnecting').firstElementChild;
  during(call.reconnects, isLost => {
    onEachConnection(connection => connection.setCut(isLost));
    if (isLost) toolbar.replaceWith(banner);
    else banner.replaceWith(toolbar);
  });
  for (const { kind, at: second } of call.misbehaviors) at(second, misbehaviors[kind]);
  at(call.crashAt, crash);
  at(call.reloadAt, () => location.reload());

  if (call.notice && call.noticeAfter > 0) at(call.noticeAfter, () => timers.push(showNotice()));
  at(call.chatAfter, () => slot('room').append(cloneTemplate('chat-message')));
  at(call.hintAfter, () => openDialog({
    heading: 'Others may see your video differently', text: 'Your video is cropped to fit their layout', answer: 'Got it',
  }));
  at(call.endAfter === null ? null : Math.max(call.endAfter, elapsed), () => (unanswered.size > 0 ? removeGuest() : endedScreens[call.endedText]()));
  at(call.kickAfter, removeGuest);
  slot('leave').addEventListener('click', () => showScreen('left'));

  const updateClock = () => {
    slot('clock').textContent = new Date().toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' });
  };
  updateClock();
  const clock = setInterval(updateClock, 60_000);

  // The toolbar hides until the mouse moves.
  const room = slot('room');
  let hiding;
  const showToolbar = () => {
    clearTimeout(hiding);
    room.classList.remove('quiet');
    hiding = setTimeout(() => room.classList.add('quiet'), toolbarHidesAfter);
  };
  room.addEventListener('mousemove', showToolbar);
  showToolbar();

  onScreenLeft(() => {
    for (const timer of timers) clearTimeout(timer);
    clearTimeout(hiding);
    clearInterval(clock);
    voices.close();
  });
};
