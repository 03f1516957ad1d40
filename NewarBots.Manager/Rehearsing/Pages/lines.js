// Lines: how a sound comes from far away to the page, over a real RTCPeerConnection and into media elements.

// A jitter buffer of so many milliseconds has no need to breathe, which would stretch the meeting's seconds.
const jitterBuffer = 120;

/** A line that carries these tracks, each in a transceiver of its own. */
export const openLine = (tracks, hasElements) => {
  let far, near, transceivers, elements, opening;

  const negotiate = async () => {
    await far.setLocalDescription();
    await near.setRemoteDescription(far.localDescription);
    await near.setLocalDescription();
    await far.setRemoteDescription(near.localDescription);
  };

  const add = track => {
    const transceiver = far.addTransceiver(track, { direction: 'sendonly', streams: [new MediaStream([track])] });
    // The far side hears nothing.
    transceiver.receiver.track.stop();
    return transceiver;
  };

  const open = () => {
    far = new RTCPeerConnection();
    near = new RTCPeerConnection();
    elements = new Map(); // transceiver -> what plays it
    const [here, there] = [near, far];
    there.onicecandidate = ({ candidate }) => candidate && here.addIceCandidate(candidate).catch(() => {});
    here.onicecandidate = ({ candidate }) => candidate && there.addIceCandidate(candidate).catch(() => {});
    here.ontrack = ({ streams, receiver, transceiver }) => {
      receiver.jitterBufferTarget = jitterBuffer;
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
    near.close();
    far.close();
    for (const element of elements.values()) element.srcObject = null;
  };

  // What is done to a line that is closed meanwhile does not matter.
  const change = async act => {
    const connection = far;
    try {
      await opening;
      if (far === connection) await act();
    } catch (error) {
      if (connection.signalingState !== 'closed') throw error;
    }
  };

  open();
  change(() => {});
  return {
    close,
    recreate() {
      close();
      open();
      change(() => {});
    },
    renegotiate: () => change(() => {
      for (const transceiver of transceivers) transceiver.stop();
      transceivers = tracks.map(add);
      return negotiate();
    }),
    replace: () => change(() => Promise.all(transceivers.map(({ sender }) => sender.replaceTrack(sender.track.clone())))),
    swap() {
      for (const element of elements.values()) {
        element.srcObject = new MediaStream(element.srcObject.getTracks().map(track => track.clone()));
        element.play().catch(() => {});
      }
    },
    mute: isMuted => change(() => {
      for (const transceiver of transceivers) transceiver.direction = isMuted ? 'inactive' : 'sendonly';
      return negotiate();
    }),
    // Nothing at all comes over it, and nobody is told.
    cut: isCut => change(() => Promise.all(transceivers.map(({ sender }, i) => sender.replaceTrack(isCut ? null : tracks[i])))),
  };
};
