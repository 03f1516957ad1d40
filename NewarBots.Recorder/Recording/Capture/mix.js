// The capture: mixes the samples of all tracks on one time line, encodes the mix and sends it in batches.

const packetsPerBatch = 12, mixBitrate = 48000;
// In milliseconds. The mix stays this far behind, and further while buffers wait in a track's queue: a busy page reads them late.
const mixDelay = 300, mixInterval = 100;
// A track that delivers no buffer for so long (ms), and during so many mixes, is not waited for: it is muted, or has ended. One that was just
// hooked may never deliver.
const maxIdle = 2000, maxNew = 500, maxIdleMixes = 5;
// A track that is read later than this (ms) is not waited for. The queues and the ring hold a minute.
const maxWait = 30000;
// How long the audio before the end takes (ms): through the jitter buffer and the decoder. The tracks' queues may take maxDrainWait more.
const drainTime = 350, maxDrainWait = 700;
// At the end, a track that lacks no more than this (samples) has been read completely: its next buffer is on the way.
const endTolerance = 5 * samplesPerPacket;
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

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

// Ranges [first, end) of packets that overlap or touch, as [first, length] in order. Tracks usually stall together.
const merged = ranges => ranges.sort(([first], [other]) => first - other).reduce((all, [first, end]) => {
  const last = all.at(-1);
  if (last && first <= last[0] + last[1]) last[1] = Math.max(last[1], end - last[0]);
  else all.push([first, end - first]);
  return all;
}, []);

const startCapture = () => {
  const id = crypto.randomUUID();
  // Audio is captured when the jitter buffer releases it, so the samples at the start of the time line are older by as much.
  const startTime = performance.now(), startedAt = Date.now() - jitterBuffer;
  const ring = newRing();
  let mixed = 0; // samples of the time line that were encoded
  let endPosition = Infinity, ended = false;
  let packets = [], levels = [], stalls = [], voices = [], trackStats, sent = 0;
  const solos = newSoloTracks();

  const sendMessage = content => send(JSON.stringify({
    page: pageId, capture: id, startedAt, first: sent, bytes: '', sizes: [], levels: [], stalls: [],
    connections: connections.size, tracks: hookedTracks.size, receivedBytes, network: networkSince(startTime), ...content,
  }));

  const sendBatch = () => {
    // The encoder's last packet flushes its delay; no samples and no level belong to it.
    while (levels.length < packets.length) levels.push(-127);
    sendMessage({ ...pack(packets), levels: levels.splice(0, packets.length), stalls: merged(stalls), voices, trackStats, ...solos.take() });
    sent += packets.length;
    packets = [];
    stalls = [];
    voices = [];
    trackStats = undefined;
  };

  const close = () => {
    clearInterval(mixing);
    ended = true;
    solos.close();
    if (encoder.state !== 'closed') encoder.close();
  };

  const fail = error => {
    close();
    // So that start() starts another. The recorder may have replaced this one already.
    if (capture === self) capture = null;
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

  // Reports that the track's samples up to `end` are not in the mix. A muted track delivers nothing and has not stalled.
  const reportStall = ({ next, info }, end) => {
    if (end <= Math.max(0, next) || (positionAt(info.mutedFrom) <= end && next <= positionAt(info.mutedTo))) return;
    stalls.push([Math.floor(Math.max(0, next) / samplesPerPacket), Math.ceil(end / samplesPerPacket)]);
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

  const isIdle = ({ capture: of, idleMixes, readAt }) =>
    idleMixes >= maxIdleMixes && performance.now() - readAt >= (of === id ? maxIdle : maxNew);
  // How far the tracks are read that still deliver. A track that was hooked just now may deliver samples of any time.
  const readUntil = () => Math.min(...[...readers]
    .filter(cursor => !isIdle(cursor) && cursor.lateness < maxWait)
    .map(cursor => (cursor.capture === id ? cursor.next : mixed)));

  const mix = () => {
    for (const cursor of readers) cursor.idleMixes++;
    mixUntil(Math.min(positionAt(performance.now() - mixDelay), readUntil(), endPosition));
  };
  const mixing = setInterval(mix, mixInterval);

  const self = {
    setTrackStats(latest) { trackStats = latest; },
    keepSolos: solos.keep,
    // Adds a buffer of one track. The cursor is the track's position on the time line.
    add(data, cursor) {
      if (ended) return;
      const samples = samplesOf(data, cursor.downmix);
      const due = positionAt(data.timestamp / 1000);
      // Buffers from before the capture have no position, and are not missing.
      if (cursor.capture !== id || cursor.next < 0) Object.assign(cursor, { capture: id, next: due, lags: [], block: -1, blockEnergy: 0 });
      cursor.lateness = performance.now() - data.timestamp / 1000;
      if (cursor.next < mixed) {
        // The mix has already passed this position. It drops the samples that lie before `mixed`.
        const next = Math.max(cursor.next, due);
        reportStall(cursor, Math.max(next, Math.min(mixed, next + samples.length)));
        Object.assign(cursor, { next, lags: [] });
      }
      cursor.lags.push(due - cursor.next);
      if (cursor.lags.length > buffersToCompare) cursor.lags.shift();
      if (cursor.lags.length === buffersToCompare) {
        const lag = Math.min(...cursor.lags);
        if (lag >= stretchThreshold || Math.max(...cursor.lags) <= -maxStretch) cursor.lags = [];
        if (lag > maxStretch) reportStall(cursor, cursor.next + lag);
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
    // A track that ends after it delivered nothing during several mixes stalled until then. Fewer mixes mean that the page was busy.
    endTrack(cursor) {
      if (!ended && cursor.capture === id && cursor.idleMixes >= maxIdleMixes) reportStall(cursor, positionAt(performance.now()));
    },
    // Ends the time line at the audio that is being said now.
    async end() {
      endPosition = positionAt(performance.now() + drainTime);
      await pause(drainTime);
      const isBehind = cursor => cursor.capture === id && cursor.next < endPosition - endTolerance;
      const isAwaited = cursor => isBehind(cursor) && !isIdle(cursor);
      for (let waited = 0; waited < maxDrainWait && [...readers].some(isAwaited); waited += mixInterval) await pause(mixInterval);
      clearInterval(mixing);
      ended = true;
      for (const cursor of [...readers].filter(isBehind)) reportStall(cursor, endPosition);
      mixUntil(endPosition);
      if (encoder.state === 'configured') await encoder.flush();
      if (packets.length > 0) sendBatch();
      if (encoder.state !== 'closed') encoder.close();
      if (maxSoloTracks === 0) return;
      await solos.flush();
      solos.close();
      sendBatch();
    },
    // Ends it at once, without what is not encoded yet.
    close,
  };
  return self;
};
