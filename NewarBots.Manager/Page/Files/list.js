import { events, listBots } from './api.js';
import { announce, el } from './dom.js';
import { startForm } from './start.js';
import { ago, badge, dateTime, isEnded, length, loudness, meeting, phrase, starts, statuses } from './words.js';

const pageSize = 200;

export function showList(main, setConnection, signal) {
  document.title = 'Bots · NewarBots';
  const bots = new Map();
  const rows = new Map();
  const deleted = new Set();
  let cursor;
  let loading;
  let drawing;
  let isFresh = true;

  const status = el('select', { id: 'status', onchange: restart },
    el('option', { value: '' }, 'Any status'), statuses.map(word => el('option', { value: word }, word)));
  const search = el('input', { id: 'search', type: 'search', placeholder: 'Name, meeting, user or id', oninput: draw });
  const count = el('p', { class: 'count', role: 'status' });
  const list = el('ul', { class: 'bots', 'aria-label': 'Bots' });
  const board = el('div', { class: 'board', hidden: true },
    el('div', { class: 'columns', 'aria-hidden': 'true' }, ['Status', 'Bot and meeting', 'User', 'Recorded', 'Sent'].map(word => el('span', {}, word))), list);
  const state = el('div', { class: 'state' });
  const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: loadMore }, 'Show older ones');
  const start = el('button', { type: 'button', class: 'primary', onclick: () => startForm() }, 'Send a bot');

  main.append(
    el('div', { class: 'heading' }, el('h1', {}, 'Bots'), start),
    el('div', { class: 'filters', role: 'search' },
      el('label', { for: 'search', class: 'unseen' }, 'Search'), search,
      el('label', { for: 'status', class: 'unseen' }, 'Status'), status, count),
    board, state, more);

  async function load() {
    loading?.abort();
    loading = new AbortController();
    const mine = loading;
    bots.clear();
    list.replaceChildren();
    board.hidden = true;
    rows.clear();
    more.hidden = true;
    state.replaceChildren(...Array.from({ length: 4 }, () => el('div', { class: 'skeleton', 'aria-hidden': 'true' })));
    count.textContent = 'Loading…';
    try {
      await loadPage(mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      isFresh = false;
      count.textContent = '';
      state.replaceChildren(el('div', { class: 'empty', role: 'alert' },
        el('h2', {}, 'The bots cannot be shown'), el('p', {}, error.message),
        el('button', { type: 'button', onclick: restart }, 'Try again')));
    }
  }

  async function loadPage(abort) {
    const page = await listBots({ limit: pageSize, ...(status.value && { status: status.value }), ...(cursor && { cursor }) }, abort);
    // What an event has told meanwhile is newer than the page.
    for (const bot of page.items) if (!bots.has(bot.id) && !deleted.has(bot.id)) bots.set(bot.id, bot);
    cursor = page.nextCursor;
    more.hidden = !cursor;
    draw();
  }

  async function loadMore() {
    more.disabled = true;
    try {
      await loadPage(signal);
    } catch (error) {
      announce(error.message);
    } finally {
      more.disabled = false;
    }
  }

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isShown = bot => (!status.value || bot.status === status.value) && words.every(word =>
      `${bot.botName}\n${bot.meetingUrl}\n${bot.userId}\n${bot.id}`.toLowerCase().includes(word));
    const shown = [...bots.values()].filter(isShown).sort((a, b) => (a.id < b.id ? 1 : -1));
    const kept = new Set(shown.map(bot => bot.id));
    for (const [id, row] of rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    shown.forEach((bot, index) => {
      let row = rows.get(bot.id);
      if (!row) rows.set(bot.id, row = makeRow(bot));
      if (row.bot !== bot) row.update(bot);
      if (list.children[index] !== row.element) list.insertBefore(row.element, list.children[index] ?? null);
    });
    board.hidden = !shown.length;
    const scheduled = shown.filter(bot => bot.status === 'scheduled').length;
    const active = shown.filter(bot => !isEnded(bot)).length - scheduled;
    count.textContent = shown.length ? [
      `${shown.length}${cursor ? '+' : ''} ${shown.length === 1 ? 'bot' : 'bots'}`, active && `${active} active`, scheduled && `${scheduled} scheduled`,
    ].filter(Boolean).join(', ') : '';
    state.replaceChildren(...(shown.length ? [] : [empty(words.length > 0 || status.value)]));
  }

  function empty(isFiltered) {
    return isFiltered
      ? el('div', { class: 'empty' }, el('h2', {}, 'No bot is like that'),
        el('p', {}, cursor ? 'Older ones have not been loaded yet.' : 'Try other words, or another status.'),
        el('button', { type: 'button', onclick: () => { search.value = ''; status.value = ''; restart(); search.focus(); } }, 'Show all'))
      : el('div', { class: 'empty' }, el('h2', {}, 'No bots yet'),
        el('p', {}, 'A bot joins a meeting, records it, and leaves you one audio file.'),
        el('button', { type: 'button', class: 'primary', onclick: () => startForm() }, 'Send the first one'));
  }

  function later() {
    drawing ??= requestAnimationFrame(() => {
      drawing = undefined;
      draw();
    });
  }

  const source = events('/bots/events', {
    open: () => {
      setConnection('live');
      // What was not had, and ends and removals of meanwhile, while the manager was away or nobody saw the page, which were not told.
      if (!isFresh) restart();
      isFresh = false;
    },
    error: () => {
      isFresh = false;
      setConnection('away');
    },
    bot: bot => {
      if (deleted.has(bot.id)) return;
      const before = bots.get(bot.id);
      bots.set(bot.id, bot);
      if (before && before.status !== bot.status) announce(`${bot.botName} is ${bot.status}`);
      later();
    },
    deleted: ({ id }) => {
      deleted.add(id);
      bots.delete(id);
      later();
    },
  });
  function restart() {
    cursor = undefined;
    load();
  }
  addEventListener('online', restart, { signal });
  const tick = setInterval(() => rows.forEach(row => row.age()), 30000);
  signal.addEventListener('abort', () => {
    source.close();
    loading?.abort();
    clearInterval(tick);
  });
  load();
}

function makeRow(bot) {
  const state = el('span', { class: 'cell state-cell' });
  const name = el('span', { class: 'name' });
  const where = el('span', { class: 'quiet where' });
  const user = el('span', { class: 'cell quiet user' });
  const recorded = el('span', { class: 'cell recorded' });
  const age = el('time', { class: 'cell quiet age' });
  const link = el('a', { href: `#/bots/${bot.id}` }, state, el('span', { class: 'cell who' }, name, where), user, recorded, age);
  const row = { element: el('li', {}, link), update, age: () => { age.textContent = ago(row.bot.createdAt); } };
  update(bot);
  return row;

  function update(bot) {
    row.bot = bot;
    state.replaceChildren(badge(bot), ...[starts(bot), phrase(bot.reason)].filter(Boolean).map(text => el('span', { class: 'quiet reason' }, text)));
    name.textContent = bot.botName;
    where.textContent = meeting(bot.meetingUrl);
    where.title = bot.meetingUrl;
    user.textContent = bot.userId;
    recorded.replaceChildren(...(bot.recordedSeconds ? [length(bot.recording?.durationSeconds ?? bot.recordedSeconds)] : []),
      ...(bot.status === 'recording' ? [meter(bot.level)] : []));
    age.setAttribute('datetime', bot.createdAt);
    age.title = dateTime(bot.createdAt);
    row.age();
  }
}

function meter(level) {
  const bar = el('span', { class: 'bar-level' });
  bar.style.setProperty('--level', loudness(level));
  return el('span', { class: 'level', role: 'img', 'aria-label': `Level ${level ?? 'unknown'} dBFS` }, bar);
}
