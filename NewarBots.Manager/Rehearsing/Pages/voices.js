// The voices of the remote participants. Each one speaks a time code (TimeCode.cs): a tone that changes at the whole seconds
// of the meeting's clock. It comes as it does in a real call: over an RTCPeerConnection, into a media element.
const sampleRate = 48000;
// Tones are set ahead, so that neither a busy main thread nor a throttled timer can delay one.
const secondsAhead = 150, replanWithin = 120;
const fade = 0.005;
// A jitter buffer of so many milliseconds has no need to breathe, which would stretch the meeting's seconds.
const jitterBuffer = 120;
// An audio context that gets no processor time falls behind for good. The meeting's clock does not: the tones are set anew
// as soon as the two differ by more than this. What a context shows of its time goes on in steps, so the latest of a few
// looks counts.
const slip = 0.01, lookEvery = 100, looks = 5;

export const openVoices = (level, onSpeakingChanged) => {
  // No sound card is needed.
  const context = new AudioContext({ sampleRate, sinkId: { type: 'none' } });
  context.resume();
  const voices = new Map();
  const wallClock = () => performance.now() / 1000;
  const begin = wallClock();
  const second = () => Math.floor(wallClock() - begin);
  let leads = [context.currentTime - wallClock()];
  let origin = begin + leads[0]; // of the meeting's clock, in the context's time
  let planned = 0;

  const speaksIn = ({ speaks, speaksEvery }, second) => {
    if (!speaks) return true;
    const place = speaksEvery ? second % speaksEvery : second;
    return speaks.some(({ from, to }) => from <= place && place < to);
  };

  const plan = ({ participant, tone, loudness }, from, to) => {
    const { base, step, seconds } = participant.voice;
    for (let second = from; second < to; second++) {
      const at = Math.max(0, origin + second);
      tone.frequency.setValueAtTime(base + step * (second % seconds), at);
      const before = second > 0 && speaksIn(participant, second - 1) ? level : 0;
      const then = speaksIn(participant, second) ? level : 0;
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
      for (const { tone, loudness } of voices.values()) {
        tone.frequency.cancelScheduledValues(context.currentTime);
        loudness.gain.cancelScheduledValues(context.currentTime);
      }
      planned = second();
    }

    if (planned > second() + replanWithin) return;
    for (const voice of voices.values()) plan(voice, planned, second() + secondsAhead);
    planned = second() + secondsAhead;
  };

  const connect = async participant => {
    const tone = new OscillatorNode(context);
    const loudness = new GainNode(context, { gain: 0 });
    const microphone = new MediaStreamAudioDestinationNode(context, { channelCount: 1, channelCountMode: 'explicit' });
    tone.connect(loudness).connect(microphone);
    const far = new RTCPeerConnection(), near = new RTCPeerConnection();
    const speaker = new Audio();
    const voice = { participant, tone, loudness, far, near, speaker };
    voices.set(participant, voice);
    // Whoever comes late speaks on the meeting's clock all the same.
    const first = second();
    if (first > 0 && speaksIn(participant, first)) loudness.gain.value = level;
    plan(voice, first, planned);
    tone.start();

    far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate).catch(() => {});
    near.onicecandidate = ({ candidate }) => candidate && far.addIceCandidate(candidate).catch(() => {});
    near.ontrack = ({ streams, receiver }) => {
      receiver.jitterBufferTarget = jitterBuffer;
      speaker.srcObject = streams[0];
      speaker.play().catch(() => {});
    };
    const { receiver } = far.addTransceiver(microphone.stream.getAudioTracks()[0], { direction: 'sendonly', streams: [microphone.stream] });
    // The far side hears nothing.
    receiver.track.stop();
    try {
      await far.setLocalDescription();
      await near.setRemoteDescription(far.localDescription);
      await near.setLocalDescription();
      await far.setRemoteDescription(near.localDescription);
    } catch (error) {
      // Whoever left meanwhile needs no connection.
      if (voices.has(participant)) throw error;
    }
  };

  const disconnect = participant => {
    const { tone, far, near, speaker } = voices.get(participant);
    voices.delete(participant);
    tone.stop();
    near.close();
    far.close();
    speaker.srcObject = null;
  };

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
    close() {
      clearInterval(following);
      for (const participant of [...voices.keys()]) disconnect(participant);
      context.close();
    },
  };
};
