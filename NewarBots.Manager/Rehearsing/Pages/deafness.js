// A page that gets in a bot's way: what a bot hears with delivers nothing, and audio contexts that are not the page's are suspended.
const MediaStreamTrackProcessor = window.MediaStreamTrackProcessor, AudioContext = window.AudioContext;

/** Until so many seconds from now. */
export const deafenFor = seconds => {
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
