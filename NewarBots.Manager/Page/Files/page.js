import { onStale } from './api.js';
import { showList } from './list.js';
import { showBot } from './bot.js';

const main = document.getElementById('main');
const notice = document.getElementById('notice');
const connection = document.getElementById('connection');
let leave;

onStale(isStale => {
  notice.hidden = !isStale;
  notice.textContent = isStale ? 'The store (Redis) is away: this is what the manager knew last. Bots that record go on recording.' : '';
});

function setConnection(state) {
  const words = { live: 'Live', connecting: 'Connecting…', away: 'Manager away, trying again…', ended: 'Ended' };
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  connection.textContent = words[state];
}

function route(event) {
  if (event && location.hash === '#main') return;
  leave?.abort();
  leave = new AbortController();
  main.replaceChildren();
  setConnection('connecting');
  const id = /^#\/bots\/([0-9a-z]+)$/.exec(location.hash)?.[1];
  if (id) showBot(main, id, setConnection, leave.signal);
  else showList(main, setConnection, leave.signal);
  if (event) main.focus();
}

addEventListener('hashchange', route);
route();
