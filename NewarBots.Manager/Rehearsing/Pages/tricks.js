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

/** V8 gives up where an array becomes longer than any may be; that takes less than a second and less than a gigabyte. */
export const crash = () => {
  const elements = new Array(32_000_000).fill(0);
  for (;;) elements.push(0);
};

export const alertForever = () => {
  alert('Your browser is out of date');
  setTimeout(alertForever, 100);
};
