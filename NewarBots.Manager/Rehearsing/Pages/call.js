// The call: tiles, toolbar and notices, and when it ends.
import { addToggles, ask, fill, guest, onLeave, scenario, show } from './stage.js';
import { deafenFor } from './deafness.js';
import { crash, tricks } from './tricks.js';
import { openVoices } from './voices.js';

const { call, audio, participants } = scenario;
const deafOnce = 10; // seconds
const toolbarHidesAfter = 5000;
const answerWithin = 8000;

const notices = {
  Recording: { heading: 'This call is being recorded', text: 'By joining, you consent to being recorded' },
  Transcription: { heading: 'This call is being transcribed', text: 'By joining, you consent to being transcribed' },
  Gemini: { heading: 'Gemini is taking notes', text: 'By joining, you consent to notes being taken of what you say' },
};

// Who does not answer is removed.
const askAgain = onAnswer => {
  const timer = setTimeout(remove, answerWithin);
  ask({ ...notices[call.notice], other: 'Leave', answer: 'Join now' }, () => {
    clearTimeout(timer);
    onAnswer?.();
  }, () => show('left'));
  return timer;
};

const remove = () => show('removed');

export const enterCall = () => {
  if (call.isMutedOnly && (guest.microphone || guest.camera)) {
    remove();
  } else if (call.notice && call.noticeAfter === 0) {
    const slot = show('call');
    const timer = askAgain(beInCall);
    onLeave(() => clearTimeout(timer));
    slot('leave').addEventListener('click', () => show('left'));
  } else {
    beInCall();
  }
};

const beInCall = () => {
  const slot = show('call');
  const timers = [];
  const elapsed = call.epoch === null ? 0 : Date.now() / 1000 - call.epoch;
  if (audio.deaf !== 'Never') deafenFor(audio.deaf === 'Once' ? deafOnce : Infinity);
  const voices = openVoices(audio, participants, elapsed, participant => draw(participant));
  const present = new Map(); // participant -> tile
  const people = slot('people'), toolbar = slot('toolbar');

  // Seconds of the meeting's clock. What is over is over.
  const at = (seconds, action) => {
    if (seconds !== null && seconds >= elapsed) timers.push(setTimeout(action, (seconds - elapsed) * 1000));
  };
  const during = (span, change) => {
    at(span?.from ?? null, () => change(true));
    at(span?.to ?? null, () => change(false));
  };

  const addTile = (name, id) => {
    const tile = fill('tile').firstElementChild;
    tile.dataset.participantId = `spaces/rehearsal/devices/${id}`;
    tile.querySelector('[data-slot="name"]').textContent = name;
    tile.querySelector('[data-slot="initial"]').textContent = [...name][0].toUpperCase();
    tile.classList.add(`colour-${id}`);
    slot('tiles').append(tile);
    return tile;
  };

  const count = () => {
    const number = present.size + 1;
    slot('tiles').dataset.count = Math.min(number, 6);
    if (call.isUncounted) return;
    people.setAttribute('aria-label', `People - ${number} joined`);
    slot('badge').dataset.avatarCount = number;
    slot('badge-text').textContent = number;
  };

  const draw = participant => {
    const tile = present.get(participant);
    tile?.classList.toggle('speaking', voices.isSpeaking(participant));
    tile?.classList.toggle('muted', !voices.isSpeaking(participant));
  };

  const arrive = participant => {
    present.set(participant, addTile(participant.name, participants.indexOf(participant)));
    slot('announcement').textContent = `${participant.name} joined`;
    voices.connect(participant);
    count();
    draw(participant);
  };

  const depart = participant => {
    voices.disconnect(participant);
    present.get(participant).remove();
    present.delete(participant);
    slot('announcement').textContent = `${participant.name} left the meeting`;
    count();
  };

  const self = addTile(guest.name, 'self');
  self.classList.add('self');
  const drawDevices = () => {
    self.classList.toggle('muted', !guest.microphone);
    if (call.isMutedOnly && (guest.microphone || guest.camera)) remove();
  };
  addToggles(slot('toggles'), ['dark'], drawDevices);
  drawDevices();

  count();
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

  const everyLine = act => voices.lines().forEach(act);
  at(audio.recreateAt, () => everyLine(line => line.recreate()));
  at(audio.replaceAt, () => everyLine(line => line.replace()));
  at(audio.renegotiateAt, () => everyLine(line => line.renegotiate()));
  at(audio.swapAt, () => everyLine(line => line.swap()));
  during(audio.mutes, isMuted => everyLine(line => line.mute(isMuted)));

  // No sound, no controls, and nothing that says that the call were over.
  const banner = fill('reconnecting').firstElementChild;
  during(call.reconnects, isLost => {
    everyLine(line => line.cut(isLost));
    if (isLost) toolbar.replaceWith(banner);
    else banner.replaceWith(toolbar);
  });
  for (const { kind, at: second } of call.tricks) at(second, tricks[kind]);
  at(call.crashAt, crash);
  at(call.reloadAt, () => location.reload());

  if (call.notice && call.noticeAfter > 0) at(call.noticeAfter, () => timers.push(askAgain()));
  at(call.chatAfter, () => slot('room').append(fill('chat-message')));
  at(call.hintAfter, () => ask({
    heading: 'Others may see your video differently', text: 'Your video is cropped to fit their layout', answer: 'Got it',
  }));
  at(call.endAfter === null ? null : Math.max(call.endAfter, elapsed), () => show(call.endedText === 'Host' ? 'ended-by-host' : 'ended'));
  at(call.kickAfter, remove);
  slot('leave').addEventListener('click', () => show('left'));

  const tellTime = () => {
    slot('clock').textContent = new Date().toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' });
  };
  tellTime();
  const clock = setInterval(tellTime, 60_000);

  // The toolbar hides itself until the mouse moves.
  const room = slot('room');
  let hiding;
  const showToolbar = () => {
    clearTimeout(hiding);
    room.classList.remove('quiet');
    hiding = setTimeout(() => room.classList.add('quiet'), toolbarHidesAfter);
  };
  room.addEventListener('mousemove', showToolbar);
  showToolbar();

  onLeave(() => {
    for (const timer of timers) clearTimeout(timer);
    clearTimeout(hiding);
    clearInterval(clock);
    voices.close();
  });
};
