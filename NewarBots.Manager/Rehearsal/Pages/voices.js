// The voices of the remote participants: a time code, or words. As in a real call, they arrive over RTCPeerConnections and media elements play
// them.
import { openConnection } from './connection.js';
import { newTone, newWords } from './sounds.js';

const AudioContext = window.AudioContext;
const sampleRate = 48000;
// Tones are scheduled this many seconds ahead, so that neither a busy main thread nor a throttled timer delays one.
const secondsAhead = 150, rescheduleWithin = 120;
const fade = 0.005; // seconds
// An audio context without processor time falls behind for good, but the meeting's clock does not: if they differ by more than maxDrift
// seconds, all tones are rescheduled. currentTime advances in steps, so the maximum of the last few samples counts.
const maxDrift = 0.01, sampleInterval = 100, samplesKept = 5;

/**
 * @param audio The scenario's RehearsalAudio.
 * @param participants All participants of the meeting, also those who join later.
 * @param elapsed Seconds on the meeting's clock now.
 * @param onSpeakingChanged Called with each participant who starts or stops speaking.
 */
export const openVoices = (audio, participants, elapsed, onSpeakingChanged) => {
  // Works without a sound card.
  const context = new AudioContext({ sampleRate, sinkId: { type: 'none' } });
  context.resume();
  const isStereo = audio.stereo === 'Inverted';
  const connectionOptions = { hasElements: audio.elements === 'Each', isStereo };
  const voices = new Map();
  const wallClock = () => performance.now() / 1000;
  const begin = wallClock() - elapsed;
  const second = () => Math.floor(wallClock() - begin);
  let offsets = [context.currentTime - wallClock()];
  let origin = begin + offsets[0]; // second 0 of the meeting's clock, in the context's time
  let scheduledUntil = second();

  const newMicrophone = () => new MediaStreamAudioDestinationNode(context, { channelCount: isStereo ? 2 : 1, channelCountMode: 'explicit' });
  const trackOf = microphone => microphone.stream.getAudioTracks()[0];

  const streams = Array.from({ length: audio.streams }, newMicrophone);
  const sharedConnection = streams.length > 0 ? openConnection(streams.map(trackOf), connectionOptions) : null;

  const speaksIn = ({ speaks, speaksEvery }, second) => {
    if (!speaks) return true;
    const time = speaksEvery ? second % speaksEvery : second;
    return speaks.some(({ from, to }) => from <= time && time < to);
  };

  // The participant on each of the fixed streams, second by second. A speaker keeps a stream; a new speaker gets the stream that was
  // silent for longest.
  const assignments = [{ assigned: streams.map(() => null), last: streams.map(() => -1) }];
  const assignedIn = second => {
    while (assignments.length <= second + 1) {
      const now = assignments.length - 1, { assigned: before, last } = assignments.at(-1);
      const speakers = participants.filter(participant => speaksIn(participant, now)
        && participant.joinsAt <= now && (participant.leavesAt === null || now < participant.leavesAt));
      const assigned = before.map(participant => speakers.includes(participant) ? participant : null);
      for (const speaker of speakers.filter(speaker => !assigned.includes(speaker))) {
        const free = assigned.map((participant, stream) => participant ? -1 : stream).filter(stream => stream >= 0);
        if (free.length > 0) assigned[free.reduce((a, b) => last[b] < last[a] ? b : a)] = speaker;
      }
      assignments.push({ assigned, last: last.map((at, stream) => assigned[stream] ? now : at) });
    }
    return assignments[second + 1].assigned;
  };

  const schedule = ({ participant, sound, loudness, gates }, from, to) => {
    for (let second = from; second < to; second++) {
      const at = Math.max(0, origin + second);
      sound.schedule(second, at);
      gates.forEach((gate, stream) => gate.gain.setValueAtTime(assignedIn(second)[stream] === participant ? 1 : 0, at));
      const before = second > 0 && speaksIn(participant, second - 1) ? audio.level : 0;
      const then = speaksIn(participant, second) ? audio.level : 0;
      if (before === then) continue;
      loudness.gain.setValueAtTime(before, at);
      loudness.gain.linearRampToValueAtTime(then, at + fade);
    }
  };

  const syncWithClock = () => {
    offsets = [...offsets.slice(1 - samplesKept), context.currentTime - wallClock()];
    const now = begin + Math.max(...offsets);
    if (Math.abs(now - origin) > maxDrift) {
      origin = now;
      for (const { sound, loudness, gates } of voices.values()) {
        sound.realign(origin);
        for (const parameter of [loudness.gain, ...gates.map(gate => gate.gain)]) parameter.cancelScheduledValues(context.currentTime);
      }
      scheduledUntil = second();
    }

    if (scheduledUntil > second() + rescheduleWithin) return;
    for (const voice of voices.values()) schedule(voice, scheduledUntil, second() + secondsAhead);
    scheduledUntil = second() + secondsAhead;
  };

  // The right channel is the inverted left one.
  const inverted = sound => {
    const both = new ChannelMergerNode(context, { numberOfInputs: 2 });
    sound.connect(both, 0, 0);
    sound.connect(new GainNode(context, { gain: -1 })).connect(both, 0, 1);
    return both;
  };

  const connect = participant => {
    const loudness = new GainNode(context, { gain: 0 });
    const voiced = isStereo ? inverted(loudness) : loudness;
    const gates = streams.map(stream => {
      const gate = new GainNode(context, { gain: 0 });
      voiced.connect(gate).connect(stream);
      return gate;
    });
    let connection = null;
    if (!sharedConnection) {
      const microphone = newMicrophone();
      voiced.connect(microphone);
      connection = openConnection([trackOf(microphone)], connectionOptions);
    }
    const sound = audio.voices === 'Words' ? newWords(context, participants.indexOf(participant), loudness, origin) : newTone(context, participant, loudness);
    const voice = { participant, sound, loudness, gates, connection };
    voices.set(participant, voice);
    // A late joiner may arrive in the middle of a second of speech.
    const first = second();
    if (first > 0 && speaksIn(participant, first)) loudness.gain.value = audio.level;
    schedule(voice, first, scheduledUntil);
  };

  const disconnect = participant => {
    const { sound, connection } = voices.get(participant);
    voices.delete(participant);
    sound.stop();
    connection?.close();
  };

  const connections = () => sharedConnection ? [sharedConnection] : [...voices.values()].map(({ connection }) => connection);

  const speaking = new Map();
  const isSpeaking = participant => speaksIn(participant, second());
  const reportSpeaking = () => {
    for (const participant of voices.keys()) {
      if (speaking.get(participant) === isSpeaking(participant)) continue;
      speaking.set(participant, isSpeaking(participant));
      onSpeakingChanged(participant);
    }
  };

  syncWithClock();
  const syncing = setInterval(() => {
    syncWithClock();
    reportSpeaking();
  }, sampleInterval);

  return {
    connect,
    disconnect,
    isSpeaking,
    connections,
    close() {
      clearInterval(syncing);
      for (const participant of [...voices.keys()]) disconnect(participant);
      sharedConnection?.close();
      context.close();
    },
  };
};
