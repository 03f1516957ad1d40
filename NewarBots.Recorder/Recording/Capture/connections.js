// Connections: whether remote audio can arrive. A track proves nothing: it exists once the descriptions are exchanged, before any packet.

const connections = new Set();
// In milliseconds. Chromium notices a lost network about 6 s late. An earlier last packet means that nobody spoke before the loss.
const maxUnnoticedLoss = 8000;
// A page that replaces its lost connections has none for a moment (ms).
const replacementTimeout = 10000;

// Times are those of performance.now(). lostAt: since when no connection that should carry audio has been live.
const network = { expected: 0, live: 0, wasLive: false, closedByPeer: 0, hasFailed: false, lostAt: null, restoredAt: null };
let lastPacketAt = 0, expectedAt = 0, noticedAt = 0;

const audioReceivers = connection => connection.remoteDescription === null ? [] : connection.getTransceivers()
  .filter(({ receiver, direction, currentDirection }) =>
    receiver.track.kind === 'audio' && receiver.track.readyState === 'live' && (currentDirection ?? direction).includes('recv'))
  .map(({ receiver }) => receiver);

// The other side announced the end (DTLS close_notify), which a lost network cannot.
const isClosedByPeer = connection => audioReceivers(connection).every(({ transport }) => transport?.state === 'closed');

// One of several transports may be down, or negotiating, without the audio's.
const isLive = connection => connection.connectionState === 'connected' || audioReceivers(connection)
  .some(({ transport }) => transport?.state === 'connected' && ['connected', 'completed'].includes(transport.iceTransport?.state));

const updateNetwork = () => {
  const wasLiveBefore = network.live > 0, now = performance.now();
  // Packets that came after the loss was noticed prove the opposite, whatever the states say.
  const isReceiving = noticedAt > 0 && lastPacketAt > noticedAt && now - lastPacketAt < maxUnnoticedLoss;
  const expected = [...connections].filter(connection => connection.connectionState !== 'closed' && audioReceivers(connection).length > 0);
  const open = expected.filter(connection => !isClosedByPeer(connection));
  const live = Math.max(open.filter(isLive).length, open.length > 0 && isReceiving ? 1 : 0);
  Object.assign(network, {
    expected: expected.length, live, wasLive: network.wasLive || live > 0, closedByPeer: expected.length - open.length,
    hasFailed: open.length > 0 && open.every(({ connectionState }) => connectionState === 'failed'),
  });
  if (expected.length > 0) expectedAt = now;
  if (live > 0) {
    noticedAt = 0;
    if (network.lostAt !== null) Object.assign(network, { lostAt: null, restoredAt: now });
  } else if (expected.length > 0) {
    if (network.lostAt === null) noticedAt = now;
    network.lostAt ??= wasLiveBefore ? Math.max(lastPacketAt, now - maxUnnoticedLoss) : now;
  } else if (now - expectedAt > replacementTimeout) {
    network.lostAt = null;
  }
};

// For a message: times in milliseconds since `start`, when the jitter buffer releases what arrived then.
const networkSince = start => {
  const releasedAt = arrivedAt => arrivedAt === null ? null : Math.round(arrivedAt + jitterBuffer - start);
  return { ...network, lostAt: releasedAt(network.lostAt), restoredAt: releasedAt(network.restoredAt) };
};

const watchConnection = connection => {
  connections.add(connection);
  connection.addEventListener('track', hookTrack);
  connection.addEventListener('connectionstatechange', updateNetwork);
};
