import { getWaveform } from './api.js';
import { toWords } from './bot-status.js';
import { el, svg } from './dom.js';
import { formatDuration } from './format.js';

const maxGapsShownOpen = 6;

/** A recording's waveform, which seeks on click, one lane per speaker below it, the audio controls and the list of gaps. */
export function player(bot, manifest, signal) {
  const total = manifest.durationSeconds;
  const percent = seconds => `${(Math.min(seconds, total) / total) * 100}%`;
  const audio = el('audio', { controls: true, preload: 'metadata', src: bot.recording.url, 'aria-label': 'Recording' });
  const playhead = el('span', { class: 'playhead' });
  const waveform = svg('svg', { viewBox: '0 0 2000 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const note = el('span', { class: 'quiet wave-note' }, 'Loading the waveform…');
  const gaps = manifest.gaps.map(gap => {
    const mark = el('span', { class: 'gap', title: `Gap of ${gapLength(gap)}: ${toWords(gap.cause)}` });
    mark.style.left = percent(gap.startSeconds);
    mark.style.width = percent(gap.endSeconds - gap.startSeconds);
    return mark;
  });
  const wave = el('div', { class: 'wave' }, waveform, note);
  const axis = el('div', { class: 'ticks', 'aria-hidden': 'true' }, ticks(total).map(seconds => {
    const tick = el('span', {}, formatDuration(seconds));
    tick.style.left = percent(seconds);
    return tick;
  }));
  const speakers = speakersOf(manifest);
  const lanes = speakers.map((sources, index) => {
    const lane = el('div', { class: `lane voice-${index % 6}` }, sources.flatMap(source => source.segments).map(segment => {
      const mark = el('span', { title: `${formatDuration(segment.startSeconds)} to ${formatDuration(segment.endSeconds)}, ${segment.level} dBFS` });
      mark.style.left = percent(segment.startSeconds);
      mark.style.width = percent(segment.endSeconds - segment.startSeconds);
      return mark;
    }));
    return { lane, label: sources[0].name ?? sources[0].source, spoken: sources.reduce((sum, source) => sum + source.spokenSeconds, 0) };
  });
  const seek = el('div', {
    class: 'seek', role: 'slider', tabindex: '0', 'aria-label': 'Position in the recording', 'aria-valuemin': 0, 'aria-valuemax': Math.round(total),
    onclick: event => {
      const box = seek.getBoundingClientRect();
      seekTo(((event.clientX - box.left) / box.width) * total);
    },
    onkeydown: event => {
      const to = {
        ArrowLeft: audio.currentTime - 5, ArrowRight: audio.currentTime + 5, ArrowDown: audio.currentTime - 5, ArrowUp: audio.currentTime + 5,
        PageDown: audio.currentTime - 60, PageUp: audio.currentTime + 60, Home: 0, End: total,
      }[event.key];
      if (to !== undefined) seekTo(to);
      else if (event.key === ' ') audio.paused ? audio.play() : audio.pause();
      else return;
      event.preventDefault();
    },
  }, wave, ...lanes.map(entry => entry.lane), ...gaps, playhead);
  for (const type of ['timeupdate', 'seeking', 'loadedmetadata']) audio.addEventListener(type, showPosition);
  showPosition();
  signal.addEventListener('abort', () => {
    audio.pause();
    audio.removeAttribute('src');
    audio.load();
  });
  drawWaveform();
  return el('div', { class: 'player' },
    el('div', { class: 'tracks' },
      el('div', { class: 'lane-names' }, el('span', { class: 'wave-name' }, `${formatDuration(total)}`),
        lanes.map(entry => el('span', { title: `Spoke for ${formatDuration(entry.spoken)}` }, entry.label))),
      seek, axis),
    audio,
    gaps.length ? el('details', { class: 'gaps', open: gaps.length <= maxGapsShownOpen },
      el('summary', {}, `${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}, marked with stripes. The recording is silent where audio is missing.`),
      el('ul', {}, manifest.gaps.map(gap => el('li', {}, el('button', { type: 'button', onclick: () => seekTo(gap.startSeconds) },
        formatDuration(gap.startSeconds)), el('span', { class: 'quiet' }, `${gapLength(gap)}, ${toWords(gap.cause)}`))))) : undefined);

  function seekTo(seconds) {
    audio.currentTime = Math.max(0, Math.min(total, seconds));
    showPosition();
  }

  function showPosition() {
    playhead.style.left = percent(audio.currentTime);
    seek.setAttribute('aria-valuenow', Math.round(audio.currentTime));
    seek.setAttribute('aria-valuetext', `${formatDuration(audio.currentTime)} of ${formatDuration(total)}`);
  }

  async function drawWaveform() {
    try {
      const { peaks } = await getWaveform(bot.id, signal);
      const step = 2000 / peaks.length;
      // The square root makes a quiet voice at -40 dBFS visible.
      const path = peaks.map((peak, index) => {
        const half = Math.max(0.6, Math.sqrt(peak) * 48);
        return `M${((index + 0.5) * step).toFixed(1)} ${(50 - half).toFixed(1)}V${(50 + half).toFixed(1)}`;
      }).join('');
      waveform.append(svg('path', { d: path }));
      note.remove();
    } catch (error) {
      if (!signal.aborted) note.textContent = error.message;
    }
  }
}

/** The sources of each speaker. A participant who reconnects, or is captured again after a page reload, is another source with the same name. */
export const speakersOf = manifest => [...Map.groupBy(manifest.speakers, speaker => speaker.name ? `name ${speaker.name}` : speaker.source).values()];

const gapLength = gap => `${(gap.endSeconds - gap.startSeconds).toFixed(1)} s`;

/** Up to seven round times, in seconds. None falls into the last 4 %, where its label would overflow. */
function ticks(total) {
  const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find(seconds => total / seconds < 7) ?? 7200 * Math.ceil(total / 43200);
  return Array.from({ length: Math.floor((total * 0.96) / step) + 1 }, (_, index) => index * step);
}
