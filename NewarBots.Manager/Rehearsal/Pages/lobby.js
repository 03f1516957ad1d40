// The screens before the call: joining, the waiting room and refusals.
import { addToggles, cloneTemplate, guest, openDialog, scenario, sendAway, showBlackScreen, showScreen, updateToggles, withApostrophes } from './screens.js';
import { enterCall } from './call.js';
import { alertForever } from './misbehaviors.js';

const { lobby } = scenario;

const refusals = {
  NotFound: ['Check your meeting code', 'Make sure you entered the correct meeting code in the URL, for example: xxx-yyyy-zzz'],
  InvalidName: ['Invalid video call name', 'Make sure you entered the correct name'],
  Expired: ['Your meeting code has expired', 'Ask whoever invited you for a new one'],
  NoSuchCode: ["The meeting code you entered doesn't work", 'Make sure you entered the correct meeting code'],
  Blocked: ["You can't join this video call", 'No one can join a meeting unless invited or admitted by the host'],
  CannotJoinMeeting: ["You can't join this meeting", 'Returning to home screen'],
  NotAllowed: ["You aren't allowed to join this video call", ''],
  MeetingEnded: ['This meeting has ended', ''],
  CannotRejoin: ["You can't rejoin this meeting", 'Someone removed you'],
  ConnectionProblem: ['There is a problem connecting to this video call', 'Try again in a few minutes'],
};

const dialogs = {
  WithoutAccount: {
    heading: 'Do more with an account', text: 'People in the call see your picture', other: 'Sign in', answer: 'Use without an account',
  },
  WithoutDevices: {
    heading: 'Do you want people to see and hear you in the meeting?', text: 'You can still turn them off anytime in the meeting',
    other: 'Allow microphone and camera', answer: 'Continue without microphone and camera',
  },
  GotIt: { heading: 'Your meeting is safe', text: 'No one can join a meeting unless invited or admitted by the host', answer: 'Got it' },
};

const gates = {
  Recording: { heading: 'This call is being recorded', text: 'By joining, you consent to being recorded' },
  Share: { heading: 'Your call audio and video will be shared with Fireflies Notetaker', text: 'Only join if you agree' },
};

const waitingTexts = {
  Asking: ['Asking to be let in…', "You'll join the call when someone lets you in"],
  SomeoneLetsYouIn: ["You'll join the call when someone lets you in", ''],
  HostBringsYou: ['Almost there', 'Please wait until a meeting host brings you into the call'],
  HostAdmitsYou: ['Almost there', 'Please wait until a meeting host admits you to the call'],
  ForTheHost: ['Waiting for the host to join', ''],
  Unknown: ['Hold tight…', 'The organizer knows that you are here'],
};

const openings = {
  LoginRequired: () => showScreen('login-required'),
  Blank: () => {},
  Reloads: () => location.reload(),
  Alerts: alertForever,
};

export const open = () => {
  if (scenario.opens in openings) openings[scenario.opens]();
  else if (scenario.opens in refusals) showRefusal(refusals[scenario.opens]);
  else if (lobby.readyAfter > 0) {
    showScreen('getting-ready');
    setTimeout(showJoinScreen, lobby.readyAfter * 1000);
  } else showJoinScreen();
};

const showRefusal = ([heading, text]) => {
  const slot = showScreen('refused');
  slot('heading').textContent = withApostrophes(heading);
  slot('text').textContent = withApostrophes(text);
};

const showJoinScreen = () => {
  const slot = showScreen('before');
  const name = slot('name'), join = slot('join');
  addToggles(slot('toggles'), []);
  slot('join-text').textContent = lobby.joinButton;
  // A browser without devices, as a recorder's, gets such a label.
  if (scenario.structure === 'Requested') join.setAttribute('aria-label', `${lobby.joinButton} without microphone & camera`);
  const present = scenario.participants.filter(participant => participant.joinsAt === 0).map(participant => participant.name);
  slot('others').textContent = present.length === 0
    ? 'No one else is here'
    : `${new Intl.ListFormat('en').format(present)} ${present.length === 1 ? 'is' : 'are'} in this call`;
  if (lobby.isSignedIn) {
    slot('heading').textContent = 'Ready to join?';
    name.replaceWith('Signed in as Mary Jackson');
    join.disabled = false;
  }
  name.addEventListener('input', () => { join.disabled = name.value.trim() === ''; });
  join.addEventListener('click', () => {
    guest.name = lobby.isSignedIn ? 'Mary Jackson' : name.value.trim();
    if (!lobby.gate) askToJoin();
    // The page behind the gate stays as it is, and another click on its join button changes nothing.
    else if (!document.querySelector('.card')) openDialog({ ...gates[lobby.gate], other: 'Leave', answer: 'Join now' }, askToJoin, () => showScreen('left'));
  });
  if (lobby.isGerman) {
    name.setAttribute('aria-label', 'Ihr Name');
    name.placeholder = 'Ihr Name';
    slot('heading').textContent = 'Wie ist Ihr Name?';
    slot('join-text').textContent = 'Teilnahme anfragen';
    slot('others').textContent = '';
    slot('leave').hidden = false;
  } else slot('leave').remove();

  // Each dialog opens above the previous one.
  for (const dialog of lobby.dialogs.toReversed()) openDialog(dialogs[dialog], dialog === 'WithoutDevices' ? turnDevicesOff : undefined);
  if (lobby.toastFor !== null) showToast(join);
};

const turnDevicesOff = () => {
  guest.microphone = guest.camera = false;
  updateToggles();
};

// Closes after a time or by its button, but not by a key.
const showToast = over => {
  const element = cloneTemplate('toast').firstElementChild;
  over.closest('main').append(element);
  const { left, top } = over.getBoundingClientRect();
  element.style.left = `${left - 40}px`;
  element.style.top = `${top - 4}px`;
  element.querySelector('button').addEventListener('click', () => element.remove());
  setTimeout(() => element.remove(), lobby.toastFor * 1000);
};

const askToJoin = () => {
  const go = () => {
    if (lobby.answer === 'Admitted' && lobby.answerAfter === 0) enterCall();
    else enterWaitingRoom();
  };
  if (lobby.blackFor === 0) go();
  else {
    showBlackScreen();
    setTimeout(go, lobby.blackFor * 1000);
  }
};

const enterWaitingRoom = () => {
  const slot = showScreen('waiting');
  slot('guest').textContent = guest.name;
  const [heading, text] = waitingTexts[lobby.waitingText];
  slot('heading').textContent = withApostrophes(heading);
  slot('text').textContent = withApostrophes(text);
  addToggles(slot('toolbar'), ['dark']);
  const answer = {
    Admitted: enterCall,
    Denied: () => showScreen({ Someone: 'denied', YouLeft: 'left', AskAgain: 'ask-again' }[lobby.deniedText]),
    NoAnswer: () => showScreen('no-answer'),
    SentAway: sendAway,
  }[lobby.answer];
  const timer = answer && setTimeout(answer, lobby.answerAfter * 1000);
  slot('leave').addEventListener('click', () => {
    clearTimeout(timer);
    showScreen('left');
  });
};
