// The voices of the remote participants. Each one speaks a time code (TimeCode.cs): a tone that changes at the whole seconds
// of the meeting's clock. It comes as it does in a real call: over RTCPeerConnections, into media elements.
import { openLine } from './lines.js';

const AudioContext = window.AudioContext;
const sampleRate = 48000;
// Tones are set ahead, so that neither a busy main thread nor a throttled timer can delay one.
const secondsAhead = 150, replanWithin = 120;
const fade = 0.005;
// An audio context that gets no processor time falls behind for good. The meeting's clock does not: the tones are set anew
// as soon as the two differ by more than this. What a context shows of its time goes on in steps, so the latest of a few
// looks counts.
const slip = 0.01, lookEvery = 100, looks = 5;

/**
 * @param audio RehearsalAudio.
 * @param participants All who will ever be there.
 * @param elapsed Seconds that the meeting's clock has gone already.
 * @param onSpeakingChanged Is told whose frame is to be drawn anew.
 */
export const openVoices = (audio, participants, elapsed, onSpeakingChanged) => {
  // No sound card is needed.
  const context = new AudioContext({ sampleRate, sinkId: { type: 'none' } });
  context.resume();
  const hasElements = audio.elements === 'Each';
  const voices = new Map();
  const wallClock = () => performance.now() / 1000;
  const begin = wallClock() - elapsed;
  const second = () => Math.floor(wallClock() - begin);
  let leads = [context.currentTime - wallClock()];
  let origin = begin + leads[0]; // of the meeting's clock, in the context's time
  let planned = second();

  const newMicrophone = () => new MediaStreamAudioDestinationNode(context, { channelCount: 1, channelCountMode: 'explicit' });
  const trackOf = microphone => microphone.stream.getAudioTracks()[0];

  const streams = Array.from({ length: audio.streams }, newMicrophone);
  const sharedLine = streams.length > 0 ? openLine(streams.map(trackOf), hasElements) : null;

  const speaksIn = ({ speaks, speaksEvery }, second) => {
    if (!speaks) return true;
    const place = speaksEvery ? second % speaksEvery : second;
    return speaks.some(({ from, to }) => from <= place && place < to);
  };

  // Which participant each of the fixed streams carries, second by second. Who speaks keeps the stream; who begins gets the
  // one that was silent for longest.
  const carried = [{ who: streams.map(() => null), last: streams.map(() => -1) }];
  const carriedIn = second => {
    while (carried.length <= second + 1) {
      const now = carried.length - 1, { who: before, last } = carried.at(-1);
      const speakers = participants.filter(participant => speaksIn(participant, now)
        && participant.joinsAt <= now && (participant.leavesAt === null || now < participant.leavesAt));
      const who = before.map(participant => speakers.includes(participant) ? participant : null);
      for (const speaker of speakers.filter(speaker => !who.includes(speaker))) {
        const free = who.map((participant, stream) => participant ? -1 : stream).filter(stream => stream >= 0);
        if (free.length > 0) who[free.reduce((a, b) => last[b] < last[a] ? b : a)] = speaker;
      }
      carried.push({ who, last: last.map((at, stream) => who[stream] ? now : at) });
    }
    return carried[second + 1].who;
  };

  const plan = ({ participant, tone, loudness, gates }, from, to) => {
    const { base, step, seconds } = participant.voice;
    for (let second = from; second < to; second++) {
      const at = Math.max(0, origin + second);
      tone.frequency.setValueAtTime(base + step * (second % seconds), at);
      gates.forEach((gate, stream) => gate.gain.setValueAtTime(carriedIn(second)[stream] === participant ? 1 : 0, at));
      const before = second > 0 && speaksIn(participant, second - 1) ? audio.level : 0;
      const then = speaksIn(participant, second) ? audio.level : 0;
      if (before === then) continue;
      loudness.gain.setValueAtTime(before, at);
      loudness.gain.linearRampToValueAtTime(then, at + fade);
    }
  };

  const follow = () => {
    leads = [...leads.slice(1 - looks), context.currentTime - wallClock()];
    const now = begin + Math.max(...leads);
    if (Math.abs(now - origin) > slip) {
      origin = now;
      for (const { tone, loudness, gates } of voices.values())
        for (const parameter of [tone.frequency, loudness.gain, ...gates.map(gate => gate.gain)]) parameter.cancelScheduledValues(context.currentTime);
      planned = second();
    }

    if (planned > second() + replanWithin) return;
    for (const voice of voices.values()) plan(voice, planned, second() + secondsAhead);
    planned = second() + secondsAhead;
  };

  const connect = participant => {
    const tone = new OscillatorNode(context);
    const loudness = new GainNode(context, { gain: 0 });
    const gates = streams.map(stream => {
      const gate = new GainNode(context, { gain: 0 });
      loudness.connect(gate).connect(stream);
      return gate;
    });
    let line = null;
    if (!sharedLine) {
      const microphone = newMicrophone();
      loudness.connect(microphone);
      line = openLine([trackOf(microphone)], hasElements);
    }
    tone.connect(loudness);
    const voice = { participant, tone, loudness, gates, line };
    voices.set(participant, voice);
    // Whoever comes late speaks on the meeting's clock all the same.
    const first = second();
    if (first > 0 && speaksIn(participant, first)) loudness.gain.value = audio.level;
    plan(voice, first, planned);
    tone.start();
  };

  const disconnect = participant => {
    const { tone, line } = voices.get(participant);
    voices.delete(participant);
    tone.stop();
    line?.close();
  };

  const lines = () => sharedLine ? [sharedLine] : [...voices.values()].map(({ line }) => line);

  // The frame around whoever speaks.
  const speaking = new Map();
  const isSpeaking = participant => speaksIn(participant, second());
  const show = () => {
    for (const participant of voices.keys()) {
      if (speaking.get(participant) === isSpeaking(participant)) continue;
      speaking.set(participant, isSpeaking(participant));
      onSpeakingChanged(participant);
    }
  };

  follow();
  const following = setInterval(() => {
    follow();
    show();
  }, lookEvery);

  return {
    connect,
    disconnect,
    isSpeaking,
    lines,
    close() {
      clearInterval(following);
      for (const participant of [...voices.keys()]) disconnect(participant);
      sharedLine?.close();
      context.close();
    },
  };
};
