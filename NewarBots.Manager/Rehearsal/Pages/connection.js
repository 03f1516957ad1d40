// Real RTCPeerConnections between a simulated remote side and the page, played by media elements.

// With this target in milliseconds the jitter buffer stays constant; left alone, it adapts and stretches the seconds of the meeting.
const jitterBufferTarget = 120;

// Without a relay server, such a connection has no address to offer.
const unreachable = { iceTransportPolicy: 'relay' };

/** Sends these tracks to the page over one connection, each in its own transceiver. */
export const openConnection = (tracks, { hasElements, isStereo }) => {
  let remote, local, transceivers, elements, opening;

  // Both sides must ask for stereo.
  const described = ({ type, sdp }) => ({ type, sdp: isStereo ? sdp.replaceAll('useinbandfec=1', 'useinbandfec=1;stereo=1') : sdp });

  const negotiate = async () => {
    await remote.setLocalDescription();
    await local.setRemoteDescription(described(remote.localDescription));
    await local.setLocalDescription(described(await local.createAnswer()));
    await remote.setRemoteDescription(local.localDescription);
  };

  const add = track => {
    const transceiver = remote.addTransceiver(track, { direction: 'sendonly', streams: [new MediaStream([track])] });
    // The page sends nothing back.
    transceiver.receiver.track.stop();
    return transceiver;
  };

  const open = (configuration = {}) => {
    remote = new RTCPeerConnection(configuration);
    local = new RTCPeerConnection(configuration);
    elements = new Map(); // transceiver -> media element
    const [receiving, sending] = [local, remote];
    sending.onicecandidate = ({ candidate }) => candidate && receiving.addIceCandidate(candidate).catch(() => {});
    receiving.onicecandidate = ({ candidate }) => candidate && sending.addIceCandidate(candidate).catch(() => {});
    receiving.ontrack = ({ streams, receiver, transceiver }) => {
      receiver.jitterBufferTarget = jitterBufferTarget;
      if (!hasElements) return;
      const element = elements.get(transceiver) ?? new Audio();
      elements.set(transceiver, element);
      element.srcObject = streams[0];
      element.play().catch(() => {});
    };
    transceivers = tracks.map(add);
    opening = negotiate();
  };

  const close = () => {
    local.close();
    remote.close();
    for (const element of elements.values()) element.srcObject = null;
  };

  // Errors are ignored once the connection was closed or replaced.
  const change = async act => {
    const connection = remote;
    try {
      await opening;
      if (remote === connection) await act();
    } catch (error) {
      if (connection.signalingState !== 'closed') throw error;
    }
  };

  const replace = configuration => {
    close();
    open(configuration);
    change(() => {});
  };

  open();
  change(() => {});
  return {
    close,
    recreate: () => replace(),
    setLost: isLost => replace(isLost ? unreachable : {}),
    renegotiate: () => change(() => {
      for (const transceiver of transceivers) transceiver.stop();
      transceivers = tracks.map(add);
      return negotiate();
    }),
    replaceTracks: () => change(() => Promise.all(transceivers.map(({ sender }) => sender.replaceTrack(sender.track.clone())))),
    swapStreams() {
      for (const element of elements.values()) {
        element.srcObject = new MediaStream(element.srcObject.getTracks().map(track => track.clone()));
        element.play().catch(() => {});
      }
    },
    setMuted: isMuted => change(() => {
      for (const transceiver of transceivers) transceiver.direction = isMuted ? 'inactive' : 'sendonly';
      return negotiate();
    }),
    // Stops all packets without any event on the page.
    setCut: isCut => change(() => Promise.all(transceivers.map(({ sender }, i) => sender.replaceTrack(isCut ? null : tracks[i])))),
  };
};
