// The call: tiles, toolbar and notices, and when it ends.
import { addToggles, ask, fill, guest, onLeave, scenario, show } from './stage.js';
import { openVoices } from './voices.js';

const { call, participants } = scenario;
const level = Number(document.body.dataset.level);
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
  });
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
  const voices = openVoices(level, participant => draw(participant));
  const present = new Map(); // participant -> tile

  // Seconds of the meeting's clock, which begins now.
  const at = (seconds, action) => {
    if (seconds !== null) timers.push(setTimeout(action, seconds * 1000));
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
    const people = present.size + 1;
    slot('people').setAttribute('aria-label', `People - ${people} joined`);
    slot('badge').dataset.avatarCount = people;
    slot('badge-text').textContent = people;
    slot('tiles').dataset.count = Math.min(people, 6);
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
  for (const participant of participants) {
    if (participant.joinsAt === 0) arrive(participant);
    else at(participant.joinsAt, () => arrive(participant));
    at(participant.leavesAt, () => depart(participant));
  }

  if (call.notice && call.noticeAfter > 0) at(call.noticeAfter, () => timers.push(askAgain()));
  at(call.hintAfter, () => ask({
    heading: 'Others may see your video differently', text: 'Your video is cropped to fit their layout', answer: 'Got it',
  }));
  at(call.endAfter, () => show(call.endedText === 'Host' ? 'ended-by-host' : 'ended'));
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
