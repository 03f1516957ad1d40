import { waitUntilConverted } from './api.js';
import { el } from './dom.js';
import { formatDuration } from './format.js';

const formats = ['ogg', 'mp3', 'm4a', 'wav', 'flac'];

/**
 * Links to a recording in each format, and to each of its tracks. A click on a format that must be converted first waits for the conversion, then
 * downloads. The manager names the files.
 */
export function downloads(bot, signal) {
  const notes = el('div', { class: 'download-notes', role: 'status' });
  return { element: el('div', { class: 'downloads' }, el('div', {}, el('span', { class: 'quiet' }, 'Download'), links(bot.recording.url, 'Download')), notes), tracks };

  /** The tracks that have a file of their own; undefined if there are none. */
  function tracks(manifest) {
    const kept = manifest.tracks.filter(track => track.file);
    if (!kept.length) return undefined;
    const nameOf = track => track.name ?? `Track ${track.track}`;
    return el('details', { class: 'track-files' }, el('summary', {}, `Separate tracks (${kept.length})`),
      el('ul', {}, kept.map(track => el('li', {},
        el('span', {}, nameOf(track)), el('span', { class: 'quiet' }, formatDuration(track.durationSeconds)),
        links(`${bot.recording.url}?track=${track.track}`, `Download ${nameOf(track)}`)))));
  }

  function links(url, label) {
    return formats.map(format => {
      const address = format === 'ogg' ? url : `${url}${url.includes('?') ? '&' : '?'}format=${format}`;
      const link = el('a', { href: address, download: '', 'aria-label': `${label} as ${format}` }, format);
      if (format !== 'ogg') convertFirst(link, format);
      return link;
    });
  }

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
