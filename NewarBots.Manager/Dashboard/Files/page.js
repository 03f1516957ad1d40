import { getSession, onSignedOut, onStale, session, signOut } from './api.js';
import { showList } from './bot-list.js';
import { showBot } from './bot-page.js';
import { el } from './dom.js';
import { showSignIn } from './sign-in.js';

const main = document.getElementById('main');
const notice = document.getElementById('notice');
const connection = document.getElementById('connection');
const account = document.getElementById('account');
let leave;
let isSignedOut = false;

onStale(isStale => {
  notice.hidden = !isStale;
  notice.textContent = isStale ? 'Redis is unavailable, so this page shows the last known state. Active bots keep recording.' : '';
});

onSignedOut(() => {
  if (isSignedOut) return;
  isSignedOut = true;
  leave?.abort();
  notice.hidden = true;
  document.querySelectorAll('dialog').forEach(dialog => dialog.close());
  account.replaceChildren();
  setConnection('signed-out');
  showSignIn(main, () => {
    isSignedOut = false;
    route();
    main.focus();
  });
});

function setConnection(state) {
  const texts = { live: 'Live', connecting: 'Connecting…', lost: 'Disconnected, retrying…', ended: 'Ended', 'signed-out': 'Signed out' };
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

function route(event) {
  if (isSignedOut || (event && location.hash === '#main')) return;
  leave?.abort();
  leave = new AbortController();
  main.replaceChildren();
  showAccount();
  setConnection('connecting');
  const id = /^#\/bots\/([0-9a-z]+)$/.exec(location.hash)?.[1];
  if (id) showBot(main, id, setConnection, leave.signal);
  else showList(main, setConnection, leave.signal);
  if (event) main.focus();
}

addEventListener('hashchange', route);
// If the manager is unreachable, the view shows the error.
await getSession().catch(() => {});
route();
