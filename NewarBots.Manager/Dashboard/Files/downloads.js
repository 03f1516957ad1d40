import { waitUntilConverted } from './api.js';
import { el } from './dom.js';

const formats = ['ogg', 'mp3', 'm4a', 'wav', 'flac'];

/** Links to a recording in each format. A click on a format that must be converted first waits for the conversion, then downloads. */
export function downloads(bot, signal) {
  const notes = el('div', { class: 'download-notes', role: 'status' });
  const links = formats.map(format => {
    const link = el('a', {
      href: `${bot.recording.url}${format === 'ogg' ? '' : `?format=${format}`}`, download: `${bot.id}.${format}`, 'aria-label': `Download as ${format}`,
    }, format);
    if (format !== 'ogg') convertFirst(link, format);
    return link;
  });
  return el('div', { class: 'downloads' }, el('div', {}, el('span', { class: 'quiet' }, 'Download'), links), notes);

  function convertFirst(link, format) {
    const note = el('p');
    let isConverted = false;
    link.addEventListener('click', async event => {
      // With a modifier key, the browser opens the link in another tab or window.
      if (isConverted || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (link.ariaBusy) return;
      link.ariaBusy = 'true';
      note.className = 'quiet';
      note.textContent = `Converting to ${format}…`;
      notes.append(note);
      try {
        await waitUntilConverted(link.href, signal);
        note.remove();
        isConverted = true;
        link.click();
      } catch (error) {
        note.className = 'error';
        note.textContent = error.message;
      } finally {
        link.ariaBusy = null;
      }
    });
  }
}
