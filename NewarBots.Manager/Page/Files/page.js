import { getSession, onLocked, onStale, session, signOut } from './api.js';
import { showBot } from './bot.js';
import { el } from './dom.js';
import { showKeyForm } from './key.js';
import { showList } from './list.js';

const main = document.getElementById('main');
const notice = document.getElementById('notice');
const connection = document.getElementById('connection');
const account = document.getElementById('account');
let leave;
let isLocked = false;

onStale(isStale => {
  notice.hidden = !isStale;
  notice.textContent = isStale ? 'The store (Redis) is away: this is what the manager knew last. Bots that record go on recording.' : '';
});

onLocked(() => {
  if (isLocked) return;
  isLocked = true;
  leave?.abort();
  notice.hidden = true;
  document.querySelectorAll('dialog').forEach(dialog => dialog.close());
  account.replaceChildren();
  setConnection('locked');
  showKeyForm(main, () => {
    isLocked = false;
    route();
    main.focus();
  });
});

function setConnection(state) {
  const words = { live: 'Live', connecting: 'Connecting…', away: 'Manager away, trying again…', ended: 'Ended', locked: 'Signed out' };
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  connection.textContent = words[state];
}

function showAccount() {
  account.replaceChildren(...(session.keyId ? [
    el('span', { class: 'quiet' }, session.name),
    el('button', { type: 'button', onclick: async () => {
      await signOut().catch(() => {});
      await getSession().catch(() => {});
    } }, 'Sign out'),
  ] : []));
}

function route(event) {
  if (isLocked || (event && location.hash === '#main')) return;
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
// Where the manager is away, the page says so itself.
await getSession().catch(() => {});
route();
