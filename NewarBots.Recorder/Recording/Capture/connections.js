// Connections: whether remote audio can arrive. A track proves nothing: it exists once the descriptions are exchanged, before any packet.

const connections = new Set();
// In milliseconds. Chromium notices a lost network about 6 s late. A packet before that may be old because nobody spoke.
const maxUnnoticedLoss = 8000;

const network = { expected: 0, live: 0, hasFailed: false, lostAt: null, restoredAt: null };
let lastPacketAt = 0;

const closedByPeer = ({ transport }) => transport?.state === 'closed';

const expectsAudio = connection => connection.connectionState !== 'closed' && connection.remoteDescription !== null
  && connection.getTransceivers().some(({ receiver, direction, currentDirection }) =>
    receiver.track.kind === 'audio' && receiver.track.readyState === 'live' && !closedByPeer(receiver)
    && (currentDirection ?? direction).includes('recv'));

// Times are those of performance.now(). lostAt: since when no connection that should carry audio has been connected.
const updateNetwork = () => {
  const wasLive = network.live > 0, now = performance.now();
  const expected = [...connections].filter(expectsAudio);
  network.expected = expected.length;
  network.live = expected.filter(({ connectionState }) => connectionState === 'connected').length;
  network.hasFailed = expected.length > 0 && expected.every(({ connectionState }) => connectionState === 'failed');
  if (network.live > 0 && network.lostAt !== null) network.restoredAt = now;
  if (network.live > 0 || network.expected === 0) network.lostAt = null;
  else network.lostAt ??= wasLive ? Math.max(lastPacketAt, now - maxUnnoticedLoss) : now;
};

// For a message: times in milliseconds since `start`.
const networkSince = start => ({
  ...network,
  lostAt: network.lostAt === null ? null : Math.round(network.lostAt - start),
  restoredAt: network.restoredAt === null ? null : Math.round(network.restoredAt - start),
});

const watchConnection = connection => {
  connections.add(connection);
  connection.addEventListener('track', hookTrack);
  connection.addEventListener('connectionstatechange', updateNetwork);
};
