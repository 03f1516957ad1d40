// A page that blocks audio capture: a bot's MediaStreamTrackProcessors deliver nothing, and audio contexts other than the page's own are suspended.
const MediaStreamTrackProcessor = window.MediaStreamTrackProcessor, AudioContext = window.AudioContext;

/** Blocks capture for this many seconds from now. A processor created in that time stays silent for good. */
export const blockCaptureFor = seconds => {
  const end = performance.now() + seconds * 1000;
  const isOver = () => performance.now() >= end;

  window.MediaStreamTrackProcessor = function (init) {
    return isOver() ? new MediaStreamTrackProcessor(init) : { readable: new ReadableStream() };
  };

  window.AudioContext = class extends AudioContext {
    constructor(...options) {
      super(...options);
      const suspending = setInterval(() => isOver() ? clearInterval(suspending) : this.suspend(), 100);
    }
  };
};
