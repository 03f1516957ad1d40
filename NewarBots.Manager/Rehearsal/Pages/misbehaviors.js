// Ways in which a page disrupts automation.
export const misbehaviors = {
  Alert: () => alert('Your microphone is muted'),
  Confirm: () => confirm('Are you still there?'),
  Prompt: () => prompt('What do you think of this call?'),
  BeforeUnload: () => addEventListener('beforeunload', event => event.preventDefault()),
  // Chromium allows a popup only within a few seconds of a click, so this works early in the call only.
  Window: () => window.open('/rehearsal', '_blank'),
  Download: () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['An unrequested transcript']));
    link.download = 'transcript.txt';
    link.click();
  },
};

// Layout of elements nested this deep exhausts the renderer's stack several times over.
const crashingDepth = 2 ** 17;

export const crash = () => {
  const root = document.createElement('div');
  let inner = root;
  // Each turn doubles the depth: one element at a time, this would take as long as the rest of the call.
  for (let depth = 1; depth < crashingDepth; depth *= 2) {
    inner.append(root.cloneNode(true));
    while (inner.firstChild) inner = inner.firstChild;
  }
  document.body.append(root);
  root.getBoundingClientRect();
};

export const alertForever = () => {
  alert('Your browser is out of date');
  setTimeout(alertForever, 100);
};
