namespace NewarBots.Tests.Recording;

/// <summary>A page that the recorder takes for a call.</summary>
internal static class CallPage
{
    public const string StrictPolicy = "default-src 'none'; script-src 'nonce-n'; require-trusted-types-for 'script'; trusted-types none";

    /// <summary>
    /// A page that is in the call at once and runs <paramref name="script"/>. In it, <c>connect(hz)</c> makes a tone audible over its own
    /// connection. The result closes the connection when called, has the tone's volume as <c>level</c>, and mutes the track as a server
    /// does (<c>mute</c>), stops sending (<c>cut</c>) or closes the sender's side only (<c>hangUp</c>). Silence is not sent (DTX). With
    /// <c>stuckVideo</c>, the connection has a second transport, for video, that is never connected. The promise <c>connected</c> of the result
    /// resolves once audio can arrive, and the promise <c>recorded</c> once the recorder encodes the page's audio.
    /// </summary>
    public static string Html(string script) => $$"""
        <!doctype html><title>Call</title><button aria-label="Leave call">Leave</button><button aria-label="Meeting details">Details</button>
        <script nonce="n">
        const recorded = new Promise(resolve => {
          window.AudioEncoder = class extends AudioEncoder {
            constructor(init) {
              super(init);
              resolve();
            }
          };
        });
        const voices = new AudioContext({ sampleRate: 48000 });
        const connect = async (hz, gain = 0.2, { stuckVideo = false } = {}) => {
          const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
          const add = (connection, candidate) => candidate?.sdpMLineIndex ? undefined : connection.addIceCandidate(candidate);
          near.onicecandidate = event => add(far, event.candidate);
          far.onicecandidate = event => add(near, event.candidate);
          const tone = new OscillatorNode(voices, { frequency: hz }), level = new GainNode(voices, { gain });
          const out = voices.createMediaStreamDestination();
          tone.connect(level).connect(out);
          tone.start();
          const [track] = out.stream.getAudioTracks(), { sender } = far.addTransceiver(track, { streams: [out.stream] });
          if (stuckVideo) far.addTransceiver('video', { direction: 'sendonly' });
          const unbundled = ({ type, sdp }) => ({ type, sdp: stuckVideo ? sdp.replace(/^a=(group:BUNDLE.*|candidate:.*)\r\n/gm, '') : sdp });
          const negotiate = async () => {
            await far.setLocalDescription();
            await near.setRemoteDescription(unbundled(far.localDescription));
            await near.setLocalDescription();
            await far.setRemoteDescription({ type: 'answer', sdp: unbundled(near.localDescription).sdp.replace('useinbandfec=1', 'useinbandfec=1;usedtx=1') });
          };
          await negotiate();
          const connected = new Promise(resolve => {
            const look = () => near.connectionState === 'connected' && resolve();
            near.addEventListener('connectionstatechange', look);
            look();
          });
          return Object.assign(() => { near.close(); far.close(); }, {
            level,
            connected,
            mute(isMuted) {
              for (const transceiver of far.getTransceivers()) transceiver.direction = isMuted ? 'inactive' : 'sendrecv';
              return negotiate();
            },
            hangUp: () => far.close(),
            cut: isCut => sender.replaceTrack(isCut ? null : track),
          });
        };
        const after = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));
        (async () => { {{script}} })();
        </script>
        """;
}
