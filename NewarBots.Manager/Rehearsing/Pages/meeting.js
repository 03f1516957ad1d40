// The rehearsal of a meeting: shows what the scenario says, one page after the other. There is no animation and no polling,
// so that what a bot's browser uses is the bot's.
import { openVoices } from './voices.js';

const { code, level, scenario: text } = document.body.dataset;
const scenario = JSON.parse(text);
const stage = document.getElementById('stage');
const devices = { microphone: true, camera: true };
const toolbarHidesAfter = 5000;
let guest = '';
let leaveCall = null;

// A page of the meeting is a template; what is to be filled in or clicked has a slot.
const show = name => {
  leaveCall?.();
  leaveCall = null;
  stage.replaceChildren(fill(name));
  document.body.dataset.page = name;
  const slot = name => stage.querySelector(`[data-slot="${name}"]`);
  for (const element of stage.querySelectorAll('[data-slot="code"]')) element.textContent = code;
  slot('home')?.addEventListener('click', () => location.assign('/rehearsal'));
  slot('again')?.addEventListener('click', () => location.reload());
  for (const toggle of stage.querySelectorAll('[data-device]')) wireDevice(toggle);
  const preview = slot('preview');
  if (preview) showOneself(preview);
  return slot;
};

const fill = name => {
  const content = document.getElementById(name).content.cloneNode(true);
  if (scenario.typographicApostrophes) {
    const texts = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.nodeValue = texts.currentNode.nodeValue.replaceAll("'", '\u2019');
  }
  return content;
};

const wireDevice = toggle => {
  const device = toggle.dataset.device;
  const draw = () => {
    toggle.setAttribute('aria-label', `Turn ${devices[device] ? 'off' : 'on'} ${device}`);
    toggle.dataset.isMuted = !devices[device];
    const preview = stage.querySelector('[data-slot="camera-text"]');
    if (preview) preview.textContent = devices.camera ? 'Camera is starting' : 'Camera is off';
  };
  toggle.addEventListener('click', () => {
    devices[device] = !devices[device];
    draw();
  });
  draw();
};

// Meet shows the guest to itself before it is in the call: a live stream that is no sign of a call.
const showOneself = video => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 2;
  canvas.getContext('2d').fillRect(0, 0, 2, 2);
  video.srcObject = canvas.captureStream(0);
};

const begin = () => {
  if (scenario.opens !== 'Meeting') {
    show({ NotFound: 'not-found', Blocked: 'blocked', LoginRequired: 'login-required' }[scenario.opens]);
  } else if (scenario.readyAfter > 0) {
    show('getting-ready');
    setTimeout(askName, scenario.readyAfter * 1000);
  } else {
    askName();
  }
};

const askName = () => {
  const slot = show('before');
  const name = slot('name'), join = slot('join');
  slot('join-text').textContent = scenario.joinButton;
  const there = scenario.participants.filter(participant => participant.joinsAt === 0).map(participant => participant.name);
  slot('others').textContent = there.length === 0
    ? 'No one else is here'
    : `${new Intl.ListFormat('en').format(there)} ${there.length === 1 ? 'is' : 'are'} in this call`;
  name.addEventListener('input', () => { join.disabled = name.value.trim() === ''; });
  join.addEventListener('click', () => {
    guest = name.value.trim();
    if (scenario.answer === 'Admitted' && scenario.answerAfter === 0) enterCall();
    else wait();
  });
};

const wait = () => {
  const slot = show('waiting');
  slot('guest').textContent = guest;
  const answer = { Admitted: enterCall, Denied: () => show('denied'), NoAnswer: () => show('no-answer') }[scenario.answer];
  const timer = answer && setTimeout(answer, scenario.answerAfter * 1000);
  slot('leave').addEventListener('click', () => {
    clearTimeout(timer);
    show('left');
  });
};

const enterCall = () => {
  const slot = show('call');
  const timers = [];
  const voices = openVoices(Number(level), participant => draw(participant));
  const present = new Map(); // participant -> tile

  // Seconds of the meeting's clock, which begins now.
  const at = (seconds, action) => timers.push(setTimeout(action, seconds * 1000));

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

  const draw = participant => present.get(participant)?.classList.toggle('speaking', voices.isSpeaking(participant));

  const arrive = participant => {
    present.set(participant, addTile(participant.name, scenario.participants.indexOf(participant)));
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

  addTile(guest, 'self').classList.add('self');
  count();
  for (const participant of scenario.participants) {
    if (participant.joinsAt === 0) arrive(participant);
    else at(participant.joinsAt, () => arrive(participant));
    if (participant.leavesAt !== null) at(participant.leavesAt, () => depart(participant));
  }
  if (scenario.endAfter !== null) at(scenario.endAfter, () => show('ended'));
  if (scenario.kickAfter !== null) at(scenario.kickAfter, () => show('removed'));
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

  leaveCall = () => {
    for (const timer of timers) clearTimeout(timer);
    clearTimeout(hiding);
    clearInterval(clock);
    voices.close();
  };
};

begin();
