// Runs in every frame before any script of the page. It mixes all remote audio tracks of all RTCPeerConnections, encodes the mix
// to Opus and sends it in batches, which CapturedBatch.cs parses.
//
// It does not use Web Audio. An AudioContext pulls audio on its own clock; if its thread or its source is late (a container has a
// CPU quota), it skips audio or plays zeros. Instead, tracks are read as AudioData. Each buffer has its capture time, waits in a queue
// while the page is busy, and is mixed in at its time. The time line of the mix is therefore the wall clock, and a busy page
// cannot stop it.
//
// CaptureHook.cs replaces the placeholders and inserts the files of the folder Capture, which share this function's scope.
(() => {
  'use strict';
  const hookName = '__HOOK__', bindingName = '__BINDING__';
  // How many tracks are encoded separately at the same time, in addition to the mix.
  const maxSoloTracks = Number('__MAX_SOLO_TRACKS__');

  const send = window[bindingName];
  delete window[bindingName];
  const NativeConnection = window.RTCPeerConnection;
  if (!NativeConnection || !send) return;

  /* __PARTS__ */
})();
