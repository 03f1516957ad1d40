// The hook: the object that the recorder calls (CaptureHook.cs), and the page's RTCPeerConnection, replaced by one that is watched.

const ownHook = {
  watchConnection,
  get capturing() { return capture !== null; },
  // Also counted before the capture starts: received audio proves that the page is in a call.
  get receivedBytes() { return receivedBytes; },
  start() { capture ??= startCapture(); },
  async stop() { await capture?.end(); },
  rehookTracks,
  async restart() {
    rehookTracks();
    const old = capture;
    // Its encoder may hang.
    await Promise.race([old?.end().catch(() => {}), pause(1200)]);
    old?.close();
    capture = startCapture();
  },
  async connectionStats() {
    return JSON.stringify(await Promise.all([...connections].map(async connection => ({
      state: connection.connectionState, reports: [...(await connection.getStats()).values()],
    }))), null, 1);
  },
};

// A frame of the same origin uses the top frame's hook: its own would make a second recording.
const hook = (() => {
  try {
    return window.top === window ? ownHook : window.top[hookName] ?? ownHook;
  } catch {
    return ownHook;
  }
})();
if (hook === ownHook) {
  Object.defineProperty(window, hookName, { value: ownHook });
  keepUpdatingTracks();
}

const WatchedConnection = new Proxy(NativeConnection, {
  construct(target, parameters, newTarget) {
    const connection = Reflect.construct(target, parameters, newTarget === WatchedConnection ? target : newTarget);
    hook.watchConnection(connection);
    return connection;
  },
});
NativeConnection.prototype.constructor = WatchedConnection;
window.RTCPeerConnection = WatchedConnection;
if ('webkitRTCPeerConnection' in window) window.webkitRTCPeerConnection = WatchedConnection;
