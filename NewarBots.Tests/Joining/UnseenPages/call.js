// Shared by all pages here: the remote participants' audio, the screens, and a record of the page's own events. Each page has its own words and structure.
const AudioContext = window.AudioContext;

/** Hz, by voice. The test finds them in the recording. */
const frequencies = [440, 1010, 1700, 2600];
const level = 0.15;
const fade = 0.02; // seconds

/** Reports an event of the page to the test. */
export const saw = event => navigator.sendBeacon(`/events${location.pathname}`, event);

// ---- Remote audio: real connections within the page.

let context;
const voices = new Map();

const connect = async (local, remote, isStereo = false) => {
  const described = ({ type, sdp }) => ({ type, sdp: isStereo ? sdp.replace('useinbandfec=1', 'useinbandfec=1;stereo=1') : sdp });
  remote.onicecandidate = ({ candidate }) => candidate && local.addIceCandidate(candidate).catch(() => {});
  local.onicecandidate = ({ candidate }) => candidate && remote.addIceCandidate(candidate).catch(() => {});
  await remote.setLocalDescription();
  await local.setRemoteDescription(described(remote.localDescription));
  await local.setLocalDescription(described(await local.createAnswer()));
  await remote.setRemoteDescription(local.localDescription);
};

/**
 * Connects a participant, who is silent at first. Without elements, nothing on the page plays the audio. With the gain of the right channel, the
 * voice is stereo; the gain of the left one is 1.
 */
export const join = (voice, { elements = true, right = null } = {}) => {
  context ??= new AudioContext({ sampleRate: 48000, sinkId: { type: 'none' } });
  context.resume();
  const tone = new OscillatorNode(context, { frequency: frequencies[voice] });
  const gain = new GainNode(context, { gain: 0 });
  const microphone = new MediaStreamAudioDestinationNode(context, { channelCount: right === null ? 1 : 2, channelCountMode: 'explicit' });
  const rightGain = new GainNode(context, { gain: right ?? 1 });
  tone.connect(gain);
  if (right === null) gain.connect(microphone);
  else {
    const both = new ChannelMergerNode(context, { numberOfInputs: 2 });
    gain.connect(both, 0, 0);
    gain.connect(rightGain).connect(both, 0, 1);
    both.connect(microphone);
  }
  tone.start();
  const remote = new RTCPeerConnection(), local = new RTCPeerConnection();
  let player = null;
  local.ontrack = ({ streams }) => {
    if (!elements) return;
    player = new Audio();
    player.srcObject = streams[0];
    player.play().catch(() => {});
  };
  remote.addTrack(microphone.stream.getAudioTracks()[0], microphone.stream);
  connect(local, remote, right !== null).catch(() => {});
  voices.set(voice, {
    gain,
    rightGain,
    close() {
      tone.stop();
      remote.close();
      local.close();
      if (player) player.srcObject = null;
    },
  });
};

/** Makes a participant speak until hushed, or for this many seconds. */
export const speak = (voice, seconds = null) => {
  const gain = voices.get(voice)?.gain.gain;
  if (!gain) return;
  gain.setTargetAtTime(level, context.currentTime, fade);
  if (seconds !== null) setTimeout(() => hush(voice), seconds * 1000);
};

export const hush = voice => voices.get(voice)?.gain.gain.setTargetAtTime(0, context.currentTime, fade);

/** Changes the gain of a stereo voice's right channel; -1 inverts it. */
export const turnRight = (voice, gain) => voices.get(voice)?.rightGain.gain.setTargetAtTime(gain, context.currentTime, fade);

/** Disconnects a participant, or all. */
export const depart = (...who) => {
  for (const voice of who.length > 0 ? who : [...voices.keys()]) {
    voices.get(voice)?.close();
    voices.delete(voice);
  }
};

/** Negotiates remote audio tracks on which no packet ever arrives. */
export const joinWithoutPackets = count => {
  const remote = new RTCPeerConnection(), local = new RTCPeerConnection();
  for (let track = 0; track < count; track++) remote.addTransceiver('audio', { direction: 'sendonly', streams: [new MediaStream()] });
  connect(local, remote).catch(() => {});
};

// ---- Screens: each is a function from the state to HTML. A click on an element with data-do runs the action with that name.

export const state = { screen: null, name: '', microphone: true, camera: true };
let screens = {}, actions = {}, drawn = () => {};
let timers = [];
const root = document.body.appendChild(document.createElement('div'));

/** Runs the action later, unless another screen is shown before. */
export const after = (seconds, act) => timers.push(setTimeout(act, seconds * 1000));

/** Replaces all elements of the screen, as frameworks without a virtual DOM do. */
export const draw = () => {
  root.innerHTML = screens[state.screen](state);
  drawn(root);
};

export const show = screen => {
  timers.forEach(clearTimeout);
  timers = [];
  state.screen = screen;
  draw();
};

/** Disconnects everyone and shows the screen after the call. */
export const end = screen => {
  depart();
  show(screen);
};

/** Changes the state and draws the screen again. */
export const set = change => {
  Object.assign(state, change);
  draw();
};

/**
 * @param first The name of the first screen.
 * @param all The screens by name.
 * @param does The actions by name; each gets the clicked element.
 * @param options redrawEvery: milliseconds after which all elements are replaced even without a change. onDraw: called with the root after each drawing.
 */
export const start = (first, all, does, { redrawEvery = null, onDraw = () => {} } = {}) => {
  [screens, actions, drawn] = [all, does, onDraw];
  document.addEventListener('click', event => {
    // Also through shadow roots.
    const element = event.composedPath().find(({ dataset }) => dataset?.do);
    if (!element || element.disabled) return;
    const action = element.dataset.do;
    if (action === 'microphone' || action === 'camera') set({ [action]: !state[action] });
    actions[action]?.(element);
  });
  document.addEventListener('input', ({ target }) => {
    if ('name' in target.dataset) state.name = target.value;
  });
  if (redrawEvery !== null) {
    setInterval(() => {
      // Not while somebody types.
      if (document.activeElement?.tagName !== 'INPUT') draw();
    }, redrawEvery);
  }
  show(first);
};

// ---- Parts that many pages have in one of two generations.

/** Microphone and camera toggles. */
export const toggles = (element = 'button') => ['microphone', 'camera'].map(device => {
  const label = `Turn ${state[device] ? 'off' : 'on'} ${device}`;
  return element === 'div'
    ? `<div class="round" role="button" tabindex="0" data-do="${device}" aria-label="${label}" data-is-muted="${!state[device]}"><i class="notranslate">${device}</i></div>`
    : `<button class="round" data-do="${device}" aria-label="${label}" data-is-muted="${!state[device]}"><i class="notranslate" aria-hidden="true">${device}</i></button>`;
}).join('');

/** The box for the guest's name. */
export const nameBox = (label = 'Your name') => `<input type="text" data-name aria-label="${label}" placeholder="${label}" value="${state.name}">`;
