import { getWaveform } from './api.js';
import { toWords } from './bot-status.js';
import { copyText, el, svg } from './dom.js';
import { formatDuration } from './format.js';
import { handleKeys } from './player-keys.js';
import { missingSeconds, nextOf, previousOf, silencesOf, speakersOf, turnsOf } from './recording-map.js';
import { gapLength, waveform } from './waveform.js';

const maxGapsShownOpen = 6;
const speeds = [0.75, 1, 1.25, 1.5, 1.75, 2];

const icons = {
  play: 'M5 3.2v9.6L13 8Z',
  pause: 'M5 3.5v9M11 3.5v9',
  back: 'M8 3.5H9a4.5 4.5 0 1 1-4.5 4.5M8.5 1 6 3.5 8.5 6',
  forward: 'M8 3.5H7A4.5 4.5 0 1 0 11.5 8M7.5 1 10 3.5 7.5 6',
  previous: 'm10 3.5-4.5 4.5 4.5 4.5',
  next: 'm6 3.5 4.5 4.5L6 12.5',
};

/** The moment in the address of a bot's page (`#t=83`), in seconds. */
export const momentOfAddress = () => {
  const seconds = Number(/[#?&]t=([\d.]+)$/.exec(location.hash)?.[1]);
  return Number.isFinite(seconds) ? seconds : undefined;
};

/** Plays a recording. Returns its element, the audio element, and `seekTo`, which takes seconds. */
export function player(bot, manifest, signal) {
  const total = manifest.durationSeconds;
  const speakers = speakersOf(manifest);
  const turns = turnsOf(speakers);
  const gapStarts = manifest.gaps.map(gap => gap.startSeconds).sort((a, b) => a - b);
  const audio = el('audio', { preload: 'metadata', src: bot.recording.url, 'aria-label': 'Recording' });
  const track = waveform(manifest, speakers, seekTo, showZoom);
  const failure = el('p', { class: 'error', role: 'alert' });
  let silences = [];

  const playIcon = svg('path', { d: icons.play });
  const play = el('button', { type: 'button', class: 'play', 'aria-label': 'Play', title: 'Play or pause (Space or K)', onclick: toggle }, svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, playIcon));
  const now = el('span', { class: 'now' }, formatDuration(0));
  const speed = el('select', { 'aria-label': 'Speed', title: 'Speed', onchange: () => { setSpeed(Number(speed.value)); localStorage.setItem('speed', speed.value); } },
    speeds.map(value => el('option', { value }, `${value}×`)));
  const skip = el('button', { type: 'button', 'aria-pressed': 'false', disabled: true, onclick: () => setSkipping(skip.ariaPressed !== 'true') }, 'Skip silence');
  const zoomOut = el('button', { type: 'button', 'aria-label': 'Zoom out', title: 'Zoom out', onclick: () => track.zoomBy(0.5) }, '−');
  const zoomIn = el('button', { type: 'button', 'aria-label': 'Zoom in', title: 'Zoom in', onclick: () => track.zoomBy(2) }, '+');
  const volume = el('input', { type: 'range', min: 0, max: 1, step: 0.05, value: 1, 'aria-label': 'Volume', title: 'Volume', oninput: () => { audio.volume = volume.value; } });

  const controls = el('div', { class: 'controls' },
    el('div', { class: 'group' },
      iconButton('back', 'Back 10 seconds', 'J', () => seekTo(audio.currentTime - 10)), play, iconButton('forward', 'Forward 10 seconds', 'L', () => seekTo(audio.currentTime + 10)),
      el('span', { class: 'clock' }, now, el('span', { class: 'quiet' }, ` / ${formatDuration(total)}`))),
    el('div', { class: 'group' }, speed, skip, volume),
    steps('Speaker', turns), steps('Gap', gapStarts),
    el('div', { class: 'group joined', role: 'group', 'aria-label': 'Zoom' }, zoomOut, el('span', { class: 'quiet' }, 'Zoom'), zoomIn),
    el('button', { type: 'button', onclick: copyMoment }, 'Copy link to this moment'));

  for (const type of ['timeupdate', 'seeking', 'loadedmetadata', 'play', 'pause']) audio.addEventListener(type, showPosition);
  audio.addEventListener('play', showEachFrame);
  audio.addEventListener('error', () => { failure.textContent = 'The browser cannot play this recording. Download it in another format.'; });
  addEventListener('hashchange', seekToAddress, { signal });
  handleKeys({
    ' ': toggle, k: toggle, j: () => seekTo(audio.currentTime - 10), l: () => seekTo(audio.currentTime + 10),
    ArrowLeft: () => seekTo(audio.currentTime - 5), ArrowRight: () => seekTo(audio.currentTime + 5),
  }, signal);
  signal.addEventListener('abort', () => {
    track.close();
    audio.pause();
    audio.removeAttribute('src');
    audio.load();
  });
  setSpeed(speeds.find(value => `${value}` === localStorage.getItem('speed')) ?? 1);
  showZoom();
  seekToAddress();
  showPosition();
  loadPeaks();
  return {
    element: el('div', { class: 'player' }, track.element, controls, failure, audio, gapList(),
      el('details', { class: 'keys' }, el('summary', {}, 'Keys'), el('p', { class: 'quiet' },
        'Space or K plays and pauses. J and L move by 10 seconds, the left and right arrows by 5. On the waveform, Page Up and Page Down move by a minute, Home and End to the start and the end. Ctrl and the wheel zoom, and so does a pinch on a trackpad.'))),
    audio,
    seekTo,
  };

  function iconButton(icon, label, key, onclick) {
    return el('button', { type: 'button', class: 'icon', 'aria-label': label, title: key ? `${label} (${key})` : label, onclick },
      svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: icons[icon] })));
  }

  /** Buttons that jump between moments. */
  function steps(label, moments) {
    const jump = find => () => {
      const moment = find(moments, audio.currentTime);
      if (moment !== undefined) seekTo(moment);
    };
    return moments.length
      ? el('div', { class: 'group joined', role: 'group', 'aria-label': label },
        iconButton('previous', `Previous ${label.toLowerCase()}`, undefined, jump(previousOf)), el('span', { class: 'quiet' }, label),
        iconButton('next', `Next ${label.toLowerCase()}`, undefined, jump(nextOf)))
      : undefined;
  }

  function gapList() {
    if (!manifest.gaps.length) return undefined;
    const missing = missingSeconds(manifest);
    const share = (missing / total) * 100;
    const count = `${manifest.gaps.length} ${manifest.gaps.length === 1 ? 'gap' : 'gaps'}`;
    const shareText = share < 0.1 ? 'less than 0.1 %' : `${share.toFixed(1)} %`;
    return el('details', { class: 'gaps', open: manifest.gaps.length <= maxGapsShownOpen },
      el('summary', {}, `${count}: ${missing < 60 ? `${missing.toFixed(1)} s` : formatDuration(missing)} or ${shareText} missing. The recording is silent there.`),
      el('ul', {}, manifest.gaps.map(gap => el('li', {}, el('button', { type: 'button', onclick: () => seekTo(gap.startSeconds) },
        formatDuration(gap.startSeconds)), el('span', { class: 'quiet' }, `${gapLength(gap)}, ${toWords(gap.cause)}`)))));
  }

  function toggle() {
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
  }

  function seekTo(seconds) {
    const target = Math.max(0, Math.min(total, seconds));
    audio.currentTime = target;
    track.reveal(target);
    showPosition();
  }

  function seekToAddress() {
    const moment = momentOfAddress();
    if (moment !== undefined) seekTo(moment);
  }

  function copyMoment() {
    const seconds = Math.floor(audio.currentTime);
    copyText(`${location.origin}/#/bots/${bot.id}#t=${seconds}`, `The link to ${formatDuration(seconds)} is copied`);
  }

  function setSpeed(value) {
    speed.value = value;
    audio.playbackRate = audio.defaultPlaybackRate = value;
  }

  function setSkipping(isOn) {
    skip.ariaPressed = `${isOn}`;
    localStorage.setItem('skip', isOn);
  }

  function showZoom() {
    zoomIn.disabled = !track.canZoomIn;
    zoomOut.disabled = !track.canZoomOut;
  }

  function showPosition() {
    const seconds = audio.currentTime;
    const silence = skip.ariaPressed === 'true' && !audio.paused && !audio.seeking && silences.find(({ from, to }) => from <= seconds && seconds < to - 0.1);
    if (silence) audio.currentTime = silence.to;
    track.showPosition(seconds, !audio.paused);
    now.textContent = formatDuration(seconds);
    play.ariaLabel = audio.paused ? 'Play' : 'Pause';
    playIcon.setAttribute('d', audio.paused ? icons.play : icons.pause);
    play.classList.toggle('is-playing', !audio.paused);
  }

  function showEachFrame() {
    if (audio.paused || signal.aborted) return;
    showPosition();
    requestAnimationFrame(showEachFrame);
  }

  async function loadPeaks() {
    try {
      const { peaks } = await getWaveform(bot.id, signal);
      track.showPeaks(peaks);
      silences = silencesOf(peaks, total);
      skip.disabled = !silences.length;
      const saved = silences.reduce((sum, { from, to }) => sum + to - from, 0);
      skip.title = silences.length ? `${formatDuration(saved)} of the recording are silent` : 'The recording has no silence to skip';
      if (localStorage.getItem('skip') === 'true') setSkipping(true);
    } catch (error) {
      if (!signal.aborted) track.showError(error.message);
    }
  }
}
