// Finds speech, silence and gaps in a recording. Times are in seconds.

/** The waveform's peaks are rounded to three digits; -50 dBFS and below is silence. */
const silentPeak = 0.003;

const shortestSkip = 1.5;

/** Silence that remains on both sides of a skip, so that words keep their edges. */
const keptSilence = 0.3;

/** A participant who reconnects, or is captured again after a page reload, is another source with the same name. */
export const keyOfSpeaker = (name, source) => (name ? `name ${name}` : source);

export const speakersOf = manifest =>
  [...Map.groupBy(manifest.speakers, speaker => keyOfSpeaker(speaker.name, speaker.source)).values()].map(sources => ({
    key: keyOfSpeaker(sources[0].name, sources[0].source),
    label: sources[0].name ?? sources[0].source,
    segments: sources.flatMap(source => source.segments),
    spokenSeconds: sources.reduce((sum, source) => sum + source.spokenSeconds, 0),
  }));

/** The moments at which another speaker begins than the one before. */
export function turnsOf(speakers) {
  const starts = speakers.flatMap(speaker => speaker.segments.map(segment => ({ at: segment.startSeconds, speaker }))).sort((a, b) => a.at - b.at);
  return starts.filter((start, index) => start.speaker !== starts[index - 1]?.speaker).map(start => start.at);
}

export const speakersAt = (speakers, seconds) =>
  speakers.filter(speaker => speaker.segments.some(segment => segment.startSeconds <= seconds && seconds < segment.endSeconds)).map(speaker => speaker.label);

/** The length of all gaps; overlaps count once. */
export function missingSeconds(manifest) {
  if (manifest.missingSeconds !== undefined) return manifest.missingSeconds;
  let [sum, until] = [0, 0];
  for (const gap of manifest.gaps.toSorted((a, b) => a.startSeconds - b.startSeconds)) {
    sum += Math.max(0, gap.endSeconds - Math.max(gap.startSeconds, until));
    until = Math.max(until, gap.endSeconds);
  }
  return sum;
}

/** The stretches that a listener can skip: { from, to }, in order. */
export function silencesOf(peaks, total) {
  const step = total / peaks.length;
  const silences = [];
  let start = 0;
  for (let index = 0; index <= peaks.length; index++) {
    if (index < peaks.length && peaks[index] <= silentPeak) continue;
    const [from, to] = [start * step + (start ? keptSilence : 0), index * step - (index < peaks.length ? keptSilence : 0)];
    if (to - from >= shortestSkip) silences.push({ from, to });
    start = index + 1;
  }
  return silences;
}

/** The next moment after a position, or the last one before it. A moment that was just passed counts as the position itself. */
export const nextOf = (moments, position) => moments.find(moment => moment > position + 0.25);
export const previousOf = (moments, position) => moments.findLast(moment => moment < position - 1.5);
