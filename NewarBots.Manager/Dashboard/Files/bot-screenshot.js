import { request } from './api.js';
import { el } from './dom.js';
import { formatTime } from './format.js';

const statusesWithPage = ['joining', 'waiting', 'recording', 'leaving'];

/** A picture of the page that a live bot visits, taken when its button is clicked. */
export function liveScreenshot(id, signal) {
  const picture = el('canvas', { role: 'img', hidden: true });
  const caption = el('p', { class: 'quiet', role: 'status' });
  const element = el('section', { class: 'card screenshot', 'aria-labelledby': 'screenshot-title', hidden: true },
    el('div', { class: 'card-heading' }, el('h2', { id: 'screenshot-title' }, 'What the bot sees'),
      el('button', { type: 'button', class: 'small', onclick: () => { element.hidden = true; } }, 'Close')),
    picture, caption);
  const button = el('button', { type: 'button', class: 'small', onclick: take }, 'Screenshot');
  return {
    button,
    element,
    show(bot) {
      button.hidden = !statusesWithPage.includes(bot.status);
      if (button.hidden) element.hidden = true;
    },
  };

  async function take() {
    element.hidden = false;
    caption.textContent = 'Taking a screenshot…';
    button.disabled = true;
    try {
      const image = await createImageBitmap(await (await request(`/bots/${id}/screenshot`, { signal })).blob());
      const taken = formatTime(Date.now());
      [picture.width, picture.height] = [image.width, image.height];
      picture.getContext('2d').drawImage(image, 0, 0);
      picture.ariaLabel = `The bot’s browser at ${taken}`;
      picture.hidden = false;
      caption.textContent = `The bot’s browser at ${taken}`;
    } catch (error) {
      if (!signal.aborted) caption.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  }
}
