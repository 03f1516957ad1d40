// Runs in every frame before any script of the page. Every remote audio track of every RTCPeerConnection goes into one
// mix, which is encoded to Opus and handed over in batches; CapturedBatch.cs reads them.
//
// The audio context belongs to this script alone and plays to no device, so a page can neither find nor suspend it, and its
// clock does not depend on a sound card. AudioData carries the time at which it was captured: where that runs ahead
// of the samples that came, samples are missing, and silence takes their place before anything behind it is encoded.
(() => {
  'use strict';
  const hookName = '__HOOK__', bindingName = '__BINDING__';
  const sampleRate = 48000, samplesPerPacket = 960, packetsPerBatch = 12;
  // The main thread of a page can be busy for long; the mix waits here meanwhile (10 ms each).
  const maxQueuedBuffers = 6000;
  // A buffer can be late and the next ones early again: only what stays missing for so many buffers is missing.
  const buffersToBelieve = 10;

  const send = window[bindingName];
  delete window[bindingName];
  const Native = window.RTCPeerConnection;
  if (!Native || !send) return;

  const connections = new Set();
  const heard = new Map(); // the page's track -> what was attached for it
  const received = new WeakMap(); // receiver -> its bytes when last asked
  let context, mix, capture = null, receivedBytes = 0;

  const prepare = () => {
    if (context) return;
    context = new AudioContext({ sampleRate, latencyHint: 'playback', sinkId: { type: 'none' } });
    context.addEventListener('statechange', () => { if (context.state === 'suspended') context.resume(); });
    mix = new MediaStreamAudioDestinationNode(context, {
      channelCount: 1, channelCountMode: 'explicit', channelInterpretation: 'speakers',
    });
    // Time has to run while nobody is there.
    const silence = new ConstantSourceNode(context, { offset: 0 });
    silence.connect(mix);
    silence.start();
  };

  const hear = track => {
    if (track.kind !== 'audio' || track.readyState !== 'live' || heard.has(track)) return;
    prepare();
    // A clone, so that the page's stop() and enabled are the page's own affair.
    const own = track.clone();
    own.enabled = true;
    const stream = new MediaStream([own]);
    // Chromium keeps remote audio silent in Web Audio until a media element takes it too.
    const element = new Audio();
    element.muted = true;
    element.srcObject = stream;
    element.play().catch(() => {});
    const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    source.connect(mix);
    heard.set(track, { own, element, source });
  };

  const forget = track => {
    const { own, element, source } = heard.get(track);
    heard.delete(track);
    source.disconnect();
    element.srcObject = null;
    own.stop();
  };

  const watch = connection => {
    connections.add(connection);
    prepare();
    connection.addEventListener('track', event => hear(event.track));
  };

  // What no event tells: tracks that were there before, connections that were closed, and what they receive.
  const look = async () => {
    for (const connection of [...connections])
      if (connection.connectionState === 'closed') connections.delete(connection);
    const receivers = [...connections].flatMap(connection => connection.getReceivers()).filter(({ track }) => track?.kind === 'audio');
    const alive = new Set(receivers.map(({ track }) => track));
    for (const track of alive) hear(track);
    for (const [track, { own }] of [...heard])
      if (own.readyState === 'ended' || !alive.has(track)) forget(track);
    if (!capture) return;
    for (const receiver of receivers) {
      const stats = [...(await receiver.getStats()).values()].find(report => report.type === 'inbound-rtp');
      const bytes = stats?.bytesReceived ?? 0;
      receivedBytes += Math.max(0, bytes - (received.get(receiver) ?? 0));
      received.set(receiver, bytes);
    }
  };
  const lookAgain = () => look().catch(() => {}).then(() => setTimeout(lookAgain, 1000));

  const begin = () => {
    prepare();
    const id = crypto.randomUUID();
    let startedAt = 0, firstCaptured = 0, samples = 0, deficits = [];
    let packets = [], levels = [], stalls = [], sent = 0, power = 0;
    let started, encoderError = null;
    const whenStarted = new Promise(resolve => { started = resolve; });

    const hand = () => {
      const sizes = packets.map(packet => packet.length);
      const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
      let offset = 0;
      for (const packet of packets) {
        bytes.set(packet, offset);
        offset += packet.length;
      }
      const first = sent;
      sent += packets.length;
      // The encoder's last packets hold its own delay, for which no sample came in.
      while (levels.length < sizes.length) levels.push(-127);
      send(JSON.stringify({
        capture: id, startedAt, first, bytes: bytes.toBase64(), sizes, levels: levels.splice(0, sizes.length), stalls,
        connections: connections.size, tracks: heard.size, receivedBytes,
      }));
      packets = [];
      stalls = [];
    };

    const fail = error => {
      encoderError = error;
      capture = null; // start() begins anew
      send(JSON.stringify({
        capture: id, startedAt, first: sent, bytes: '', sizes: [], levels: [], stalls: [],
        connections: connections.size, tracks: heard.size, receivedBytes, error: String(error),
      }));
    };

    const encoder = new AudioEncoder({
      output: chunk => {
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        packets.push(packet);
        if (packets.length >= packetsPerBatch) hand();
      },
      error: fail,
    });
    encoder.configure({
      codec: 'opus', sampleRate, numberOfChannels: 1, bitrate: 48000,
      opus: { frameDuration: 20000, application: 'audio', usedtx: false },
    });

    const measure = values => {
      for (let i = 0; i < values.length; i++) {
        power += values[i] * values[i];
        if (++samples % samplesPerPacket === 0) {
          levels.push(power === 0 ? -127 : Math.max(-127, Math.round(10 * Math.log10(power / samplesPerPacket))));
          power = 0;
        }
      }
    };

    const encode = data => {
      const values = new Float32Array(data.numberOfFrames);
      data.copyTo(values, { planeIndex: 0, format: 'f32-planar' });
      encoder.encode(data);
      measure(values);
    };

    const fill = missing => {
      // Whole packets, so that what the manifest names is what was filled.
      const stalled = Math.floor(missing / samplesPerPacket);
      stalls.push([Math.round(samples / samplesPerPacket), stalled]);
      const values = new Float32Array(samplesPerPacket);
      for (let i = 0; i < stalled; i++) {
        const data = new AudioData({
          format: 'f32-planar', sampleRate, numberOfFrames: samplesPerPacket, numberOfChannels: 1,
          timestamp: firstCaptured + samples / sampleRate * 1e6, data: values,
        });
        encoder.encode(data);
        data.close();
        measure(values);
      }
    };

    const take = data => {
      if (samples === 0) {
        firstCaptured = data.timestamp;
        startedAt = Date.now() - (performance.now() - data.timestamp / 1000);
        started({ startedAt });
      }
      deficits.push((data.timestamp - firstCaptured) / 1e6 * sampleRate - samples);
      if (deficits.length > buffersToBelieve) deficits.shift();
      if (deficits.length === buffersToBelieve) {
        const missing = Math.min(...deficits);
        if (missing >= samplesPerPacket) {
          fill(missing);
          deficits = [];
        }
      }
      encode(data);
      // The next buffer's deficit counts from behind this one.
      data.close();
    };

    const reader = new MediaStreamTrackProcessor({ track: mix.stream.getAudioTracks()[0], maxBufferSize: maxQueuedBuffers })
      .readable.getReader();
    const reading = (async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || encoderError) return;
        take(value);
      }
    })().catch(fail);

    return {
      whenStarted,
      async end() {
        await reader.cancel();
        await reading;
        if (encoder.state === 'configured') await encoder.flush();
        if (packets.length > 0) hand();
        if (encoder.state !== 'closed') encoder.close();
        return sent;
      },
    };
  };

  const hook = {
    watch,
    get capturing() { return capture !== null; },
    start() {
      capture ??= begin();
      return capture.whenStarted;
    },
    async stop() {
      const ending = capture;
      return ending ? await ending.end() : 0;
    },
  };

  // A frame of the same origin has the top's ear; its own would be a second recording.
  const ear = (() => {
    try {
      return window.top === window ? hook : window.top[hookName] ?? hook;
    } catch {
      return hook;
    }
  })();
  if (ear === hook) {
    Object.defineProperty(window, hookName, { value: hook });
    lookAgain();
  }

  const Hooked = new Proxy(Native, {
    construct(target, parameters, newTarget) {
      const connection = Reflect.construct(target, parameters, newTarget === Hooked ? target : newTarget);
      ear.watch(connection);
      return connection;
    },
  });
  Native.prototype.constructor = Hooked;
  window.RTCPeerConnection = Hooked;
  if ('webkitRTCPeerConnection' in window) window.webkitRTCPeerConnection = Hooked;
})();
