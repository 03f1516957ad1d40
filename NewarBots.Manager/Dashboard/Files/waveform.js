import { toWords } from './bot-status.js';
import { el, svg } from './dom.js';
import { formatDuration } from './format.js';
import { speakersAt } from './recording-map.js';

const barPixels = 3;
const height = 104;

/** The shortest stretch that fills the width, in seconds. */
const closestView = 20;

/**
 * A recording on a time axis: its waveform, one lane per speaker, stripes for gaps and a playhead. It seeks on click, drag and keys, and can be zoomed;
 * it then scrolls. A stripe is exactly as wide as its gap; a pin above it has a fixed size, so that a short gap can be found.
 */
export function waveform(manifest, speakers, seekTo, zoomed) {
  const total = manifest.durationSeconds;
  const percent = seconds => `${(Math.min(seconds, total) / total) * 100}%`;
  let zoom = 1;
  let position = 0;
  let peaks = [];
  let pendingDraw;

  const bars = svg('path', { stroke: 'url(#waveform-colors)' });
  const [played, unplayed] = [svg('stop', { class: 'played' }), svg('stop', { class: 'unplayed' })];
  const colors = svg('linearGradient', { id: 'waveform-colors', gradientUnits: 'userSpaceOnUse', x1: 0, y1: 0, y2: 0 }, played, unplayed);
  const picture = svg('svg', { 'aria-hidden': 'true', height }, svg('defs', {}, colors));
  const note = el('span', { class: 'quiet wave-note' }, 'Loading the waveform…');
  const playhead = el('span', { class: 'playhead' });
  const preview = el('span', { class: 'preview', hidden: true }, el('span'));
  const lanes = speakers.map((speaker, index) => el('div', { class: `lane voice-${index % 6}` },
    speaker.segments.map(segment => place(el('span', { title: `${formatDuration(segment.startSeconds)} to ${formatDuration(segment.endSeconds)}, ${segment.level} dBFS` }), segment))));
  const title = gap => `Gap of ${gapLength(gap)} at ${formatDuration(gap.startSeconds)}: ${toWords(gap.cause)}`;
  const stripes = manifest.gaps.map(gap => place(el('span', { class: 'gap' }), gap));
  const pins = el('div', { class: 'pins', hidden: !manifest.gaps.length }, manifest.gaps.map(gap => {
    const pin = el('span', { class: 'pin', title: title(gap) });
    pin.style.left = percent((gap.startSeconds + gap.endSeconds) / 2);
    return pin;
  }));
  const seek = el('div', {
    class: 'seek', role: 'slider', tabindex: '0', 'aria-label': 'Position in the recording', 'aria-valuemin': 0, 'aria-valuemax': Math.round(total),
    onkeydown, onpointerdown, onpointermove, onpointerup, onpointercancel: endPreview, onpointerleave: endPreview,
  }, pins, el('div', { class: 'wave' }, picture, note), lanes, stripes, playhead, preview);
  const axis = el('div', { class: 'ticks', 'aria-hidden': 'true' });
  const content = el('div', { class: 'zoomable' }, seek, axis);
  const scroller = el('div', { class: 'scroller', onscroll: drawSoon, onwheel }, content);
  const resizes = new ResizeObserver(drawSoon);
  resizes.observe(scroller);

  return {
    element: el('div', { class: 'tracks' },
      el('div', { class: `lane-names ${manifest.gaps.length ? 'below-pins' : ''}` }, el('span', { class: 'wave-name' }, formatDuration(total)),
        speakers.map(speaker => el('span', { title: `Spoke for ${formatDuration(speaker.spokenSeconds)}` }, speaker.label))),
      scroller),
    get canZoomIn() { return zoom < greatestZoom(); },
    get canZoomOut() { return zoom > 1; },
    zoomBy,
    showPosition,
    reveal,
    showPeaks(known) {
      peaks = known;
      note.remove();
      draw();
      picture.append(bars);
    },
    showError(text) {
      note.textContent = text;
    },
    close: () => resizes.disconnect(),
  };

  function place(mark, { startSeconds, endSeconds }) {
    mark.style.left = percent(startSeconds);
    mark.style.width = percent(endSeconds - startSeconds);
    return mark;
  }

  function greatestZoom() {
    return Math.max(1, total / closestView);
  }

  /** Zooms by a factor. The moment at a fraction of the view stays where it is. */
  function zoomBy(factor, at) {
    const { from, to } = view();
    const isPlayheadShown = position >= from && position <= to;
    const fraction = at ?? (isPlayheadShown ? (position - from) / (to - from) : 0.5);
    const moment = from + (to - from) * fraction;
    zoom = Math.max(1, Math.min(greatestZoom(), zoom * factor));
    content.style.width = `${zoom * 100}%`;
    scroller.scrollLeft = (moment / total) * content.clientWidth - fraction * scroller.clientWidth;
    drawSoon();
    zoomed();
  }

  /** The visible stretch. */
  function view() {
    const width = content.clientWidth || 1;
    const from = (scroller.scrollLeft / width) * total;
    return { from, to: from + (scroller.clientWidth / width) * total };
  }

  function showPosition(seconds, isPlaying) {
    const { from, to } = view();
    const wasShown = position >= from && position <= to;
    position = seconds;
    if (isPlaying && wasShown && position > to) scroller.scrollLeft = (position / total) * content.clientWidth - scroller.clientWidth * 0.05;
    playhead.style.left = percent(seconds);
    seek.setAttribute('aria-valuenow', Math.round(seconds));
    seek.setAttribute('aria-valuetext', `${formatDuration(seconds)} of ${formatDuration(total)}`);
    drawPlayed();
  }

  /** Scrolls to a position that is out of view. */
  function reveal(seconds) {
    const { from, to } = view();
    if (seconds < from || seconds > to) scroller.scrollLeft = (seconds / total) * content.clientWidth - scroller.clientWidth / 3;
  }

  function drawSoon() {
    pendingDraw ??= requestAnimationFrame(() => {
      pendingDraw = undefined;
      draw();
    });
  }

  /** Draws the visible stretch only, so that the closest view of a long recording costs no more than the whole of it. */
  function draw() {
    const width = scroller.clientWidth;
    const { from, to } = view();
    picture.setAttribute('width', width);
    colors.setAttribute('x2', width);
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const count = peaks.length ? Math.floor(width / barPixels) : 0;
    bars.setAttribute('d', Array.from({ length: count }, (_, index) => {
      const peakAt = bar => ((from + ((to - from) * bar) / count) / total) * peaks.length;
      const first = Math.floor(peakAt(index));
      let peak = 0;
      for (let at = first; at < Math.max(first + 1, peakAt(index + 1)); at++) peak = Math.max(peak, peaks[at] ?? 0);
      // The square root makes a quiet voice at -40 dBFS visible.
      const half = Math.max(0.6, Math.sqrt(peak) * (height / 2 - 2));
      return `M${index * barPixels + 1} ${(height / 2 - half).toFixed(1)}V${(height / 2 + half).toFixed(1)}`;
    }).join(''));
    axis.replaceChildren(...ticks(total, from, to).map(seconds => {
      const tick = el('span', {}, formatDuration(seconds));
      tick.style.left = percent(seconds);
      return tick;
    }));
    drawPlayed();
  }

  function drawPlayed() {
    const { from, to } = view();
    // Without a width, the player is not on the page yet.
    if (to <= from) return;
    const border = Math.max(0, Math.min(1, (position - from) / (to - from)));
    played.setAttribute('offset', border);
    unplayed.setAttribute('offset', border);
  }

  function momentOf(event) {
    const box = seek.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * total;
  }

  function onpointerdown(event) {
    if (event.button !== 0) return;
    seek.setPointerCapture(event.pointerId);
    onpointermove(event);
  }

  function onpointermove(event) {
    const seconds = momentOf(event);
    const { from, to } = view();
    const side = (seconds - from) / (to - from);
    preview.hidden = false;
    preview.style.left = percent(seconds);
    preview.className = `preview ${side < 0.15 ? 'at-start' : side > 0.85 ? 'at-end' : ''}`;
    preview.firstChild.textContent = [formatDuration(seconds), ...speakersAt(speakers, seconds)].join(' · ');
    if (seek.hasPointerCapture(event.pointerId)) playhead.style.left = percent(seconds);
  }

  function onpointerup(event) {
    if (!seek.hasPointerCapture(event.pointerId)) return;
    // A pin leads to the start of its gap.
    const pin = [...pins.children].indexOf(document.elementFromPoint(event.clientX, event.clientY));
    seekTo(manifest.gaps[pin]?.startSeconds ?? momentOf(event));
    if (event.pointerType !== 'mouse') preview.hidden = true;
  }

  function endPreview(event) {
    if (event.type === 'pointercancel') showPosition(position);
    else if (seek.hasPointerCapture(event.pointerId)) return;
    preview.hidden = true;
  }

  function onkeydown(event) {
    const to = {
      ArrowLeft: position - 5, ArrowRight: position + 5, ArrowDown: position - 5, ArrowUp: position + 5,
      PageDown: position - 60, PageUp: position + 60, Home: 0, End: total,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    seekTo(to);
  }

  /** Browsers report a pinch on a trackpad as a wheel with the control key. */
  function onwheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = scroller.getBoundingClientRect();
    zoomBy(2 ** (-event.deltaY / 100), (event.clientX - box.left) / box.width);
  }
}

export function gapLength({ startSeconds, endSeconds }) {
  const seconds = endSeconds - startSeconds;
  return `${seconds.toFixed(seconds < 0.1 ? 2 : 1)} s`;
}

/** About seven round times of the visible stretch, in seconds. None falls into the last 4 % of the recording, where its label would overflow. */
function ticks(total, from, to) {
  const span = to - from;
  const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find(seconds => span / seconds < 7) ?? 7200 * Math.ceil(span / 43200);
  const end = Math.min(to, total - span * 0.04);
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((end - first) / step) + 1) }, (_, index) => first + index * step);
}
