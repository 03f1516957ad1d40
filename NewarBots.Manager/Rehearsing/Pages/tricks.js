// What a page does to whoever looks at it.
export const tricks = {
  Alert: () => alert('Your microphone is muted'),
  Confirm: () => confirm('Are you still there?'),
  Prompt: () => prompt('What do you think of this call?'),
  BeforeUnload: () => addEventListener('beforeunload', event => event.preventDefault()),
  // Chromium allows it for some seconds after a click only, so that it has to be soon.
  Window: () => window.open('/rehearsal', '_blank'),
  Download: () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['A transcript that nobody asked for']));
    link.download = 'transcript.txt';
    link.click();
  },
};

// So deep that laying it out needs more stack than there is.
const tooDeep = 20_000;

export const crash = () => {
  const root = document.createElement('div');
  let inner = root;
  for (let depth = 0; depth < tooDeep; depth++) {
    const next = document.createElement('div');
    inner.append(next);
    inner = next;
  }
  document.body.append(root);
  root.getBoundingClientRect();
};

export const alertForever = () => {
  alert('Your browser is out of date');
  setTimeout(alertForever, 100);
};
