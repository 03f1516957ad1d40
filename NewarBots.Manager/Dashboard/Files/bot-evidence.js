import { getScreenshots } from './api.js';
import { explainReason, plainError, toWords } from './bot-status.js';
import { el } from './dom.js';
import { formatTime } from './format.js';

/** The screenshots of an ended bot, and what it recognized on the page. Hidden if nothing went wrong. */
export async function showEvidence(fold, bot, signal) {
  let screenshots = [];
  let failure;
  try {
    screenshots = await getScreenshots(bot.id, signal);
  } catch (error) {
    if (signal.aborted) return;
    failure = error.message;
  }
  const technical = bot.error !== plainError(bot) && bot.error;
  const wentWrong = bot.status === 'failed' || screenshots.length > 0;
  fold.element.hidden = !wentWrong && !technical && !failure;
  fold.setHint(failure ? '' : screenshots.length === 1 ? '1 screenshot' : screenshots.length ? `${screenshots.length} screenshots` : wentWrong ? 'No screenshots' : '');
  fold.element.open ||= screenshots.length > 0 && bot.status === 'failed';
  fold.fill(...[
    technical && el('p', { class: 'technical' }, technical),
    failure ? el('p', { class: 'error', role: 'alert' }, failure)
      : screenshots.length ? el('div', { class: 'screenshots' }, screenshots.map(shot => el('figure', {},
        el('a', { href: shot.url, target: '_blank' }, el('img', { src: shot.url, loading: 'lazy', alt: `Screenshot of the bot’s browser at ${formatTime(shot.takenAt)}` })),
        el('figcaption', {}, caption(shot, bot)))))
        : wentWrong && el('p', { class: 'quiet' }, 'There are no screenshots, because the bot’s browser did not open a page. The ZIP has the log.'),
    wentWrong && el('p', {}, el('a', { href: `/bots/${bot.id}/evidence`, download: `${bot.id}.evidence.zip` }, 'Download all (ZIP)')),
  ].filter(Boolean));
}

const caption = (shot, bot) =>
  `The bot’s browser at ${formatTime(shot.takenAt)}${shot.occasion === bot.reason ? `. ${explainReason(bot.reason)}` : `: ${toWords(shot.occasion)}`}`;
