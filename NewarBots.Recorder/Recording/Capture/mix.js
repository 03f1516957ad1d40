// The capture: mixes the samples of all tracks on one time line, encodes the mix and sends it in batches.

const packetsPerBatch = 12, mixBitrate = 48000;
// In milliseconds. Samples that arrive within mixDelay are mixed in.
const mixDelay = 300, mixInterval = 100;
// How long the audio before the end takes (ms): through the jitter buffer, the decoder and the tracks' queues.
const drainTime = 350;
// A mix that runs later than this (ms) was blocked. The tracks' readers were too, and get catchUpTime to run first.
const blockedAfter = 400, catchUpTime = 500;
// A track's samples are placed end to end, until all of the last ten buffers are at least a packet late. Chromium was then blocked and did
// not ask the decoder for audio. The decoder lost nothing and will soon play a little faster, so the samples before are stretched by as
// much, as the decoder does itself. Beyond maxStretch it is a stall.
const stretchThreshold = samplesPerPacket, maxStretch = 6 * samplesPerPacket, buffersToCompare = 10;
// Quieter samples (RMS) need no stretching: silence is inserted instead.
const quietRms = 0.003;
const tailLength = maxStretch + matchRange + matchLength;
// Levels of each track, in blocks of 100 ms. Fainter blocks (dBFS) are not reported.
const samplesPerBlock = 5 * samplesPerPacket, minBlockLevel = -60;

// The contributing source that a mixing server currently names for this receiver; 0 if it names none.
const contributorOf = receiver =>
  receiver.getContributingSources().reduce((latest, source) => (source.timestamp > latest.timestamp ? source : latest), { timestamp: 0, source: 0 }).source;

const startCapture = () => {
  const id = crypto.randomUUID();
  // Audio is captured when the jitter buffer releases it, so the samples at the start of the time line are older by as much.
  const startTime = performance.now(), startedAt = Date.now() - jitterBuffer;
  const ring = newRing();
  let mixed = 0; // samples of the time line that were encoded
  let mixedAt = startTime, waitUntil = 0, ended = false;
  let packets = [], levels = [], stalls = [], voices = [], trackStats, sent = 0;
  const solos = newSoloTracks();

  const sendMessage = content => send(JSON.stringify({
    page: pageId, capture: id, startedAt, first: sent, bytes: '', sizes: [], levels: [], stalls: [],
    connections: connections.size, tracks: hookedTracks.size, receivedBytes, network: networkSince(startTime), ...content,
  }));

  const sendBatch = () => {
    // The encoder's last packet flushes its delay; no samples and no level belong to it.
    while (levels.length < packets.length) levels.push(-127);
    sendMessage({ ...pack(packets), levels: levels.splice(0, packets.length), stalls, voices, trackStats, ...solos.take() });
    sent += packets.length;
    packets = [];
    stalls = [];
    voices = [];
    trackStats = undefined;
  };

  const fail = error => {
    clearInterval(mixing);
    capture = null; // so that start() starts another
    solos.close();
    sendMessage({ error: String(error) });
  };

  const encoder = newEncoder(mixBitrate, packet => {
    packets.push(packet);
    if (packets.length >= packetsPerBatch) sendBatch();
  }, fail);

  const mixUntil = end => {
    for (; mixed + samplesPerPacket <= end; mixed += samplesPerPacket) {
      ring.take(mixed, samples => {
        const rms = rmsOf(samples);
        levels.push(rms === 0 ? -127 : Math.max(-127, Math.round(20 * Math.log10(rms))));
        encode(encoder, samples, mixed);
      });
      solos.encode(mixed);
    }
  };

  const append = (samples, cursor) => {
    ring.add(samples, cursor.next, mixed);
    solos.add(cursor.info.number, samples, cursor.next, mixed);
    cursor.next += samples.length;
  };

  // All tracks stall together, so the first one reports it. A muted track delivers nothing and has not stalled.
  const reportStall = ({ next, info }, samples) => {
    if (positionAt(info.mutedFrom) <= next + samples && next <= positionAt(info.mutedTo)) return;
    const first = Math.floor(next / samplesPerPacket), length = Math.ceil(samples / samplesPerPacket);
    if (!stalls.some(([other, otherLength]) => first < other + otherLength && other < first + length)) stalls.push([first, length]);
  };

  // Measures the track's level. A block is reported when the next one starts.
  const measure = (samples, cursor) => {
    const energy = energyOf(samples), block = Math.floor(cursor.next / samplesPerBlock);
    cursor.info.capturedSamples += samples.length;
    cursor.info.capturedEnergy += energy / sampleRate;
    if (block !== cursor.block) {
      const level = Math.round(10 * Math.log10(cursor.blockEnergy / samplesPerBlock));
      if (level >= minBlockLevel) voices.push([cursor.info.number, cursor.block, level, contributorOf(cursor.receiver)]);
      Object.assign(cursor, { block, blockEnergy: 0 });
    }
    cursor.blockEnergy += energy;
  };

  const positionAt = milliseconds => Math.round((milliseconds - startTime) * samplesPerMillisecond);

  const mix = () => {
    const now = performance.now();
    if (now - mixedAt > blockedAfter) waitUntil = now + catchUpTime;
    mixedAt = now;
    if (now >= waitUntil) mixUntil(positionAt(now - mixDelay));
  };
  const mixing = setInterval(mix, mixInterval);

  return {
    setTrackStats(latest) { trackStats = latest; },
    keepSolos: solos.keep,
    // Adds a buffer of one track. The cursor is the track's position on the time line.
    add(data, cursor) {
      if (ended) return;
      const samples = samplesOf(data, cursor.downmix);
      const due = positionAt(data.timestamp / 1000);
      // Buffers from before the capture have no position, and are not missing.
      if (cursor.capture !== id || cursor.next < 0) Object.assign(cursor, { capture: id, next: due, lags: [], block: -1, blockEnergy: 0 });
      if (cursor.next < mixed && due > cursor.next) {
        // The mix has already passed this position.
        reportStall(cursor, due - cursor.next);
        Object.assign(cursor, { next: due, lags: [] });
      }
      cursor.lags.push(due - cursor.next);
      if (cursor.lags.length > buffersToCompare) cursor.lags.shift();
      if (cursor.lags.length === buffersToCompare) {
        const lag = Math.min(...cursor.lags);
        if (lag >= stretchThreshold || Math.max(...cursor.lags) <= -maxStretch) cursor.lags = [];
        if (lag > maxStretch) reportStall(cursor, lag);
        if (lag > maxStretch || (lag >= stretchThreshold && rmsOf(samples) < quietRms)) cursor.next += lag;
        else if (lag >= stretchThreshold) append(stretched(cursor.tail, lag), cursor);
        // The track's clock is faster: without this, its samples would eventually be ahead of the mix's window.
        else if (cursor.lags.length === 0) cursor.next = due;
      }
      measure(samples, cursor);
      append(samples, cursor);
      cursor.tail.copyWithin(0, samples.length);
      cursor.tail.set(samples, tailLength - samples.length);
    },
    async end() {
      // The latest speech is still in the jitter buffers. Buffers waiting in the tracks' queues are read before this timer fires.
      await new Promise(resolve => setTimeout(resolve, drainTime));
      clearInterval(mixing);
      ended = true;
      mixUntil(positionAt(performance.now()));
      if (encoder.state === 'configured') await encoder.flush();
      if (packets.length > 0) sendBatch();
      if (encoder.state !== 'closed') encoder.close();
      if (maxSoloTracks === 0) return;
      await solos.flush();
      solos.close();
      sendBatch();
    },
  };
};
