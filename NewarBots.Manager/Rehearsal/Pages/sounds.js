// The sounds of the voices. Each one begins when it is created, and continues until it is stopped.

/** The time code (TimeCode.cs): a tone that changes at every whole second of the meeting's clock. */
export const newTone = (context, { voice: { base, step, seconds } }, target) => {
  const tone = new OscillatorNode(context);
  tone.connect(target);
  tone.start();
  return {
    schedule: (second, at) => tone.frequency.setValueAtTime(base + step * (second % seconds), at),
    // The scheduled tones follow.
    realign: () => tone.frequency.cancelScheduledValues(context.currentTime),
    stop: () => tone.stop(),
  };
};

/** Words (SpokenWords.cs): a recording with a word in each second, which repeats in step with the meeting's clock. */
export const newWords = (context, number, target, origin) => {
  let source, isStopped = false;
  const loading = load(context, number);
  const play = async () => {
    const { buffer, peak, begin, seconds } = await loading;
    source?.stop();
    if (isStopped) return;
    source = new AudioBufferSourceNode(context, { buffer, loop: true, loopEnd: seconds });
    source.connect(new GainNode(context, { gain: 1 / peak })).connect(target);
    const at = context.currentTime + startDelay;
    source.start(at, (((at - origin) + begin) % seconds + seconds) % seconds);
  };
  play();
  return {
    schedule() {},
    realign(newOrigin) {
      origin = newOrigin;
      play();
    },
    stop() {
      isStopped = true;
      source?.stop();
    },
  };
};

const startDelay = 0.02; // seconds

const load = async (context, number) => {
  const { ogg, begin, seconds } = (await import('./spoken-words.js')).default[number];
  const buffer = await context.decodeAudioData(Uint8Array.from(atob(ogg), character => character.charCodeAt(0)).buffer);
  const peak = buffer.getChannelData(0).reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
  return { buffer, peak, begin, seconds };
};
