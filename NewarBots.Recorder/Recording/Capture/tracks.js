// Tracks: finds the remote audio tracks of all connections, reads them into the capture and collects their statistics.

const jitterBuffer = 200, statsTimeout = 2000, updateInterval = 1000; // ms
const maxQueuedBuffers = 6000; // 10 ms each

const pageId = String(performance.timeOrigin);
const hookedTracks = new Map(); // the page's track -> its clone, element and reader
const trackInfos = new WeakMap(); // track -> its number, its figures over all hooks, and when it was last muted
const readers = new Set(); // the cursors of the tracks that are being read
const receiverBytes = new WeakMap(); // receiver -> its bytes at the last update
let capture = null, receivedBytes = 0, trackCount = 0;

const register = track => {
  const info = { number: ++trackCount, capturedSamples: 0, capturedEnergy: 0, mutedFrom: track.muted ? 0 : Infinity, mutedTo: Infinity };
  track.addEventListener('mute', () => Object.assign(info, { mutedFrom: performance.now(), mutedTo: Infinity }));
  track.addEventListener('unmute', () => { info.mutedTo = performance.now(); });
  trackInfos.set(track, info);
};

const hookTrack = ({ track, receiver }) => {
  if (track.kind !== 'audio' || track.readyState !== 'live' || hookedTracks.has(track)) return;
  if (!trackInfos.has(track)) register(track);
  // A recording tolerates latency, so packets that the network delays still arrive in time.
  receiver.jitterBufferTarget ??= jitterBuffer;
  // A clone is unaffected when the page stops or disables its track.
  const clone = track.clone();
  clone.enabled = true;
  let reader;
  try {
    reader = new MediaStreamTrackProcessor({ track: clone, maxBufferSize: maxQueuedBuffers }).readable.getReader();
  } catch (error) {
    clone.stop();
    throw error;
  }
  // Chromium decodes remote audio only if an element plays it.
  const element = new Audio();
  element.muted = true;
  element.srcObject = new MediaStream([clone]);
  element.play().catch(() => {});
  hookedTracks.set(track, { clone, element, reader, receiver });
  readTrack(reader, receiver, track);
};

const readTrack = async (reader, receiver, track) => {
  const cursor = {
    capture: null, next: 0, idleMixes: 0, readAt: performance.now(), lateness: 0, lags: [],
    tail: new Float32Array(tailLength), downmix: newDownmix(), receiver, info: trackInfos.get(track),
  };
  readers.add(cursor);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        // Otherwise it is hooked again.
        if (track.readyState === 'ended') capture?.endTrack(cursor);
        return;
      }
      Object.assign(cursor, { idleMixes: 0, readAt: performance.now() });
      try {
        capture?.add(value, cursor);
      } finally {
        value.close();
      }
    }
  } finally {
    readers.delete(cursor);
  }
};

const unhookTrack = track => {
  const { clone, element, reader } = hookedTracks.get(track);
  hookedTracks.delete(track);
  reader.cancel().catch(() => {});
  element.srcObject = null;
  clone.stop();
};

const rehookTracks = () => {
  for (const [track, { receiver }] of [...hookedTracks]) {
    unhookTrack(track);
    hookTrack({ track, receiver });
  }
};

// Undefined after the timeout: one connection whose statistics hang must not hide the others.
const inboundStatsOf = receiver => Promise.race([
  receiver.getStats().then(stats => [...stats.values()].find(report => report.type === 'inbound-rtp') ?? {}),
  new Promise(resolve => setTimeout(resolve, statsTimeout)),
]).catch(() => undefined);

// Polls for changes that raise no event: existing tracks, closed connections and received bytes.
const updateTracks = async () => {
  for (const connection of [...connections])
    if (connection.connectionState === 'closed') connections.delete(connection);
  updateNetwork();
  const receivers = [...connections].flatMap(connection => connection.getReceivers()).filter(({ track }) => track?.kind === 'audio');
  const alive = new Set(receivers.map(({ track }) => track));
  for (const receiver of receivers) {
    try {
      hookTrack({ track: receiver.track, receiver });
    } catch {
      // The statistics will show that the track is received but not captured.
    }
  }
  for (const [track, { clone }] of [...hookedTracks])
    if (clone.readyState === 'ended' || !alive.has(track)) unhookTrack(track);
  capture?.keepSolos(new Set([...hookedTracks.keys()].map(track => trackInfos.get(track).number)));
  const trackStats = [], reports = await Promise.all(receivers.map(inboundStatsOf));
  for (const [i, receiver] of receivers.entries()) {
    const report = reports[i], before = receiverBytes.get(receiver) ?? 0;
    const bytes = report ? report.bytesReceived ?? 0 : before;
    if (report?.lastPacketReceivedTimestamp)
      lastPacketAt = Math.max(lastPacketAt, performance.now() - (report.timestamp - report.lastPacketReceivedTimestamp));
    receivedBytes += Math.max(0, bytes - before);
    receiverBytes.set(receiver, bytes);
    const info = trackInfos.get(receiver.track);
    if (info) {
      // Also without a report: the track would otherwise seem to have ended.
      trackStats.push({
        track: info.number, receivedBytes: bytes, receivedEnergy: report?.totalAudioEnergy ?? 0, areMissing: !report,
        capturedSeconds: info.capturedSamples / sampleRate, capturedEnergy: info.capturedEnergy,
      });
    }
  }
  capture?.setTrackStats(trackStats);
};
const keepUpdatingTracks = () => updateTracks().catch(() => {}).then(() => setTimeout(keepUpdatingTracks, updateInterval));
