// Samples: converting AudioData to mono at 48 kHz, and measuring, stretching and buffering it.

const sampleRate = 48000, samplesPerPacket = 960, samplesPerMillisecond = 48;
const initialRingSize = sampleRate, maxRingSize = 64 * sampleRate;
// stretched() repeats the samples that best match the end: it compares matchLength samples at up to matchRange positions.
const matchLength = 240, matchRange = 480;

// Buffers are reused: hundreds of new arrays a second would stay in memory for a while, since they are outside the heap whose
// size makes V8 collect garbage.
const planes = [];
const planeOf = (data, planeIndex) => {
  if (planes[planeIndex]?.length !== data.numberOfFrames) planes[planeIndex] = new Float32Array(data.numberOfFrames);
  data.copyTo(planes[planeIndex], { planeIndex, format: 'f32-planar' });
  return planes[planeIndex];
};

// If the channels cancel each other (one is inverted), the mix would be silent, and the louder channel takes its place until they no longer
// do. The energies are averaged over some buffers, and the change is faded, so that ordinary stereo with a wide image remains a mix.
const cancelBelow = 0.1, mixAbove = 0.2, energyMemory = 0.8;
const newDownmix = () => ({ loudest: 0, mixed: 0, isCancelled: false, channel: 0 });

const downmix = (channels, state) => {
  if (channels.length === 1) return channels[0];
  const mixed = channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
  const energies = channels.map(energyOf);
  const loudest = energies.indexOf(Math.max(...energies));
  state.loudest = energyMemory * state.loudest + energies[loudest];
  state.mixed = energyMemory * state.mixed + energyOf(mixed);
  const was = state.isCancelled ? 1 : 0;
  if (state.mixed < cancelBelow * state.loudest) state.isCancelled = true;
  else if (state.mixed > mixAbove * state.loudest) state.isCancelled = false;
  const is = state.isCancelled ? 1 : 0;
  // Not in each buffer: the channels are about equally loud, and a change would invert the sound.
  if (is > was) state.channel = loudest;
  if (was + is === 0) return mixed;
  return mixed.map((sample, i) => {
    const share = was + (is - was) * i / mixed.length;
    return sample + share * (channels[state.channel][i] - sample);
  });
};

// One channel at 48 kHz, valid until the next call. WebRTC delivers exactly that; other rates are interpolated linearly.
const samplesOf = (data, state) => {
  const mono = downmix(Array.from({ length: data.numberOfChannels }, (_, planeIndex) => planeOf(data, planeIndex)), state);
  if (data.sampleRate === sampleRate) return mono;
  const step = data.sampleRate / sampleRate;
  return Float32Array.from({ length: Math.round(mono.length / step) }, (_, i) => {
    const at = i * step, left = Math.floor(at);
    return mono[left] + ((mono[left + 1] ?? mono[left]) - mono[left]) * (at - left);
  });
};

const energyOf = samples => {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return energy;
};

const rmsOf = samples => Math.sqrt(energyOf(samples) / samples.length);

// The last `length` samples of `tail`, or up to matchRange more, so that they can follow `tail` without an audible seam.
const stretched = (tail, length) => {
  const end = tail.length - matchLength;
  let best = length, highest = -Infinity;
  for (let candidate = length; candidate < length + matchRange; candidate++) {
    let sum = 0, power = 1e-9;
    for (let i = 0; i < matchLength; i++) {
      const sample = tail[end - candidate + i];
      sum += sample * tail[end + i];
      power += sample * sample;
    }
    const score = sum / Math.sqrt(power);
    if (score > highest) [best, highest] = [candidate, score];
  }
  return tail.slice(tail.length - best);
};

// Samples waiting to be encoded, each at its position on the time line; samples at the same position are added up. Usually less
// than half a second; if the page was blocked, there is room for a minute.
const newRing = () => {
  let ring = new Float32Array(initialRingSize);

  const grow = taken => {
    const longer = new Float32Array(2 * ring.length);
    for (let position = taken; position < taken + ring.length; position++) longer[position % longer.length] = ring[position % ring.length];
    ring = longer;
  };

  return {
    // Adds samples at `position`. Those before `taken`, up to which samples were taken out, are dropped.
    add(samples, position, taken) {
      const end = position + samples.length;
      while (end - taken > ring.length) {
        if (ring.length === maxRingSize) return;
        grow(taken);
      }
      for (let next = Math.max(position, taken), at = next % ring.length; next < end; next++, at = at + 1 === ring.length ? 0 : at + 1)
        ring[at] += samples[next - position];
    },
    // Passes one packet's samples to `use`, then clears them.
    take(position, use) {
      const at = position % ring.length;
      const samples = ring.subarray(at, at + samplesPerPacket);
      use(samples);
      samples.fill(0);
    },
  };
};
