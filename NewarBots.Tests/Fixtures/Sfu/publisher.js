// One participant who publishes a time code. The tone of each whole second of the meeting's clock is scheduled ahead.
const publish = async ({ janusUrl, name, voice, epoch, speaks, dtx }) => {
  const context = new AudioContext({ sampleRate: 48000, sinkId: { type: 'none' } });
  const tone = new OscillatorNode(context), loudness = new GainNode(context, { gain: 0 });
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1, channelCountMode: 'explicit' });
  tone.connect(loudness).connect(out);
  tone.start();

  const isSpeaking = second => !speaks || (second % speaks.every >= speaks.from && second % speaks.every < speaks.to);
  const schedule = () => {
    const now = Date.now() / 1000 - epoch, origin = context.currentTime - now;
    tone.frequency.cancelScheduledValues(context.currentTime);
    loudness.gain.cancelScheduledValues(context.currentTime);
    for (let second = Math.floor(now); second < now + 60; second++) {
      const at = Math.max(context.currentTime, origin + second);
      tone.frequency.setValueAtTime(voice.base + voice.step * (second % voice.seconds), at);
      loudness.gain.setValueAtTime(isSpeaking(second) ? 0.15 : 0, at);
    }
  };
  schedule();
  setInterval(schedule, 20000);

  const janus = await openJanus(janusUrl);
  const connection = new RTCPeerConnection();
  const handle = await janus.attach(async (data, jsep) => {
    if (jsep) await connection.setRemoteDescription(jsep);
    if (data.videoroom !== 'joined') return;
    connection.addTransceiver(out.stream.getAudioTracks()[0], { direction: 'sendonly', streams: [out.stream] });
    const offer = await connection.createOffer();
    if (dtx) offer.sdp = offer.sdp.replace('useinbandfec=1', 'useinbandfec=1;usedtx=1');
    await connection.setLocalDescription(offer);
    await handle.send({ request: 'publish', audiocodec: 'opus' }, { type: 'offer', sdp: connection.localDescription.sdp });
    await handle.completed();
  });
  await handle.send({ request: 'join', ptype: 'publisher', room, display: name });
  window.leave = () => {
    connection.close();
    return janus.destroy();
  };
  window.state = () => connection.connectionState;
};
