import { getSession, onSignedOut, onStale, session, signOut } from './api.js';
import { showList } from './bot-list.js';
import { showBot } from './bot-page.js';
import { showDocs } from './docs-page.js';
import { el } from './dom.js';
import { timeZone } from './format.js';
import { showSettings } from './settings-page.js';
import { showSignIn } from './sign-in.js';

const main = document.getElementById('main');
const notice = document.getElementById('notice');
const connection = document.getElementById('connection');
const account = document.getElementById('account');
const links = document.querySelectorAll('.bar nav a[href^="#"]');
let leave;
let isSignedOut = false;

/** By address; the groups of its pattern are passed on. A bot's address may end with a moment, which the player reads. */
const views = [
  { pattern: /^(?:#(?:\/(?:\?.*)?)?)?$/, open: () => showList(main, setConnection, leave.signal) },
  { pattern: /^#\/bots\/([^/#?]+)/, open: id => showBot(main, id, setConnection, leave.signal) },
  { pattern: /^#\/settings$/, open: () => showSettings(main, setConnection, leave.signal) },
  { pattern: /^#\/docs(?:\/([a-z-]+)(?:\/([a-z0-9_-]+))?)?$/, open: (name, heading) => showDocs(main, setConnection, leave.signal, name, heading), isPublic: true },
];

document.getElementById('zone').textContent = `Times are in your time zone, ${timeZone()}.`;

onStale(isStale => {
  notice.hidden = !isStale;
  notice.textContent = isStale ? 'Redis is unavailable, so this page shows the last known state. Active bots keep recording.' : '';
});

onSignedOut(() => {
  if (isSignedOut) return;
  isSignedOut = true;
  notice.hidden = true;
  document.querySelectorAll('dialog').forEach(dialog => dialog.close());
  account.replaceChildren();
  show();
});

function setConnection(state) {
  const texts = { live: 'Live', connecting: 'Connecting…', lost: 'Disconnected, retrying…', ended: 'Ended', 'signed-out': 'Signed out', none: '' };
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  connection.textContent = texts[state];
}

function showAccount() {
  account.replaceChildren(...(session.keyId ? [
    el('span', { class: 'quiet' }, session.name),
    el('button', { type: 'button', onclick: async () => {
      await signOut().catch(() => {});
      // Without a session this request is refused, which shows the sign-in form.
      await getSession().catch(() => {});
    } }, 'Sign out'),
  ] : []));
}

/** Shows the view of the address; without a session only the docs, and the sign-in form in place of the others. */
function show() {
  leave?.abort();
  leave = new AbortController();
  main.replaceChildren();
  const view = views.find(({ pattern }) => pattern.test(location.hash));
  links.forEach(link => {
    link.ariaCurrent = view && sectionOf(link.hash) === sectionOf(location.hash) ? 'page' : null;
  });
  if (isSignedOut && !view?.isPublic) {
    setConnection('signed-out');
    showSignIn(main, () => {
      isSignedOut = false;
      show();
      main.focus();
    });
    return;
  }
  if (!isSignedOut) showAccount();
  setConnection('connecting');
  if (view) view.open(...view.pattern.exec(location.hash).slice(1));
  else showUnknown();
}

function showUnknown() {
  document.title = 'Page not found · NewarBots';
  setConnection('none');
  main.append(el('div', { class: 'empty' }, el('h1', {}, 'Page not found'), el('p', {}, 'The address is mistyped, or from another version.'), el('a', { href: '#/' }, 'All bots')));
}

const sectionOf = hash => /^#\/(settings|docs)/.exec(hash)?.[1] ?? 'bots';

/** Without the moment in a recording. */
const addressOf = hash => hash.replace(/[#?&]t=[\d.]+$/, '');

document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', event => {
  // The player seeks to another moment itself.
  if (event.oldURL && addressOf(new URL(event.oldURL).hash) === addressOf(location.hash)) return;
  show();
  main.focus();
});
// If the manager is unreachable, the view shows the error.
await getSession().catch(() => {});
if (!isSignedOut) show();
