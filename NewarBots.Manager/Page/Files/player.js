import { getWaveform } from './api.js';
import { el, svg } from './dom.js';
import { length, phrase } from './words.js';

const fewGaps = 6;

/** The recording as a picture that can be clicked into, who spoke beneath it, and the player. */
export function player(bot, manifest, signal) {
  const total = manifest.durationSeconds;
  const percent = seconds => `${(Math.min(seconds, total) / total) * 100}%`;
  const audio = el('audio', { controls: true, preload: 'metadata', src: bot.recording.url, 'aria-label': 'Recording' });
  const head = el('span', { class: 'playhead' });
  const picture = svg('svg', { viewBox: '0 0 2000 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const note = el('span', { class: 'quiet wave-note' }, 'Reading the waveform…');
  const gaps = manifest.gaps.map(gap => {
    const mark = el('span', { class: 'gap', title: `Gap of ${seconds(gap)}: ${phrase(gap.cause)}` });
    mark.style.left = percent(gap.startSeconds);
    mark.style.width = percent(gap.endSeconds - gap.startSeconds);
    return mark;
  });
  const wave = el('div', { class: 'wave' }, picture, note);
  const axis = el('div', { class: 'ticks', 'aria-hidden': 'true' }, ticks(total).map(seconds => {
    const tick = el('span', {}, length(seconds));
    tick.style.left = percent(seconds);
    return tick;
  }));
  // Who comes back, to a page that was loaded anew for example, is another source by the same name.
  const voices = [...Map.groupBy(manifest.speakers, speaker => speaker.name ? `name ${speaker.name}` : speaker.source).values()];
  const lanes = voices.map((sources, index) => {
    const lane = el('div', { class: `lane voice-${index % 6}` }, sources.flatMap(source => source.segments).map(segment => {
      const piece = el('span', { title: `${length(segment.startSeconds)} to ${length(segment.endSeconds)}, ${segment.level} dBFS` });
      piece.style.left = percent(segment.startSeconds);
      piece.style.width = percent(segment.endSeconds - segment.startSeconds);
      return piece;
    }));
    return { lane, label: sources[0].name ?? sources[0].source, spoken: sources.reduce((sum, source) => sum + source.spokenSeconds, 0) };
  });
  const seek = el('div', {
    class: 'seek', role: 'slider', tabindex: '0', 'aria-label': 'Position in the recording', 'aria-valuemin': 0, 'aria-valuemax': Math.round(total),
    onclick: event => {
      const box = seek.getBoundingClientRect();
      go(((event.clientX - box.left) / box.width) * total);
    },
    onkeydown: event => {
      const to = {
        ArrowLeft: audio.currentTime - 5, ArrowRight: audio.currentTime + 5, ArrowDown: audio.currentTime - 5, ArrowUp: audio.currentTime + 5,
        PageDown: audio.currentTime - 60, PageUp: audio.currentTime + 60, Home: 0, End: total,
      }[event.key];
      if (to !== undefined) go(to);
      else if (event.key === ' ') audio.paused ? audio.play() : audio.pause();
      else return;
      event.preventDefault();
    },
  }, wave, ...lanes.map(entry => entry.lane), ...gaps, head);
  for (const type of ['timeupdate', 'seeking', 'loadedmetadata']) audio.addEventListener(type, show);
  show();
  signal.addEventListener('abort', () => {
    audio.pause();
    audio.removeAttribute('src');
    audio.load();
  });
  draw();
  return el('div', { class: 'player' },
    el('div', { class: 'stage' },
      el('div', { class: 'lane-names' }, el('span', { class: 'wave-name' }, `${length(total)}`),
        lanes.map(entry => el('span', { title: `Spoke for ${length(entry.spoken)}` }, entry.label))),
      seek, axis),
    audio,
    gaps.length ? el('details', { class: 'gaps', open: gaps.length <= fewGaps },
      el('summary', {}, `${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}, marked with stripes: silence, because nothing could be captured or kept`),
      el('ul', {}, manifest.gaps.map(gap => el('li', {}, el('button', { type: 'button', onclick: () => go(gap.startSeconds) },
        length(gap.startSeconds)), el('span', { class: 'quiet' }, `${seconds(gap)}, ${phrase(gap.cause)}`))))) : undefined);

  function go(seconds) {
    audio.currentTime = Math.max(0, Math.min(total, seconds));
    show();
  }

  function show() {
    head.style.left = percent(audio.currentTime);
    seek.setAttribute('aria-valuenow', Math.round(audio.currentTime));
    seek.setAttribute('aria-valuetext', `${length(audio.currentTime)} of ${length(total)}`);
  }

  async function draw() {
    try {
      const { peaks } = await getWaveform(bot.id, signal);
      const step = 2000 / peaks.length;
      // The square root, as ears are: a voice at -40 dBFS can be seen.
      const path = peaks.map((peak, index) => {
        const half = Math.max(0.6, Math.sqrt(peak) * 48);
        return `M${((index + 0.5) * step).toFixed(1)} ${(50 - half).toFixed(1)}V${(50 + half).toFixed(1)}`;
      }).join('');
      picture.append(svg('path', { d: path }));
      note.remove();
    } catch (error) {
      if (!signal.aborted) note.textContent = error.message;
    }
  }
}

const seconds = gap => `${(gap.endSeconds - gap.startSeconds).toFixed(1)} s`;

/** Round times, at most seven, the last one not so near to the end that its words stand out. */
function ticks(total) {
  const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find(seconds => total / seconds < 7) ?? 7200 * Math.ceil(total / 43200);
  return Array.from({ length: Math.floor((total * 0.96) / step) + 1 }, (_, index) => index * step);
}
