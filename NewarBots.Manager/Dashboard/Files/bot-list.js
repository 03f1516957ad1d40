import { listBots, subscribe } from './api.js';
import { badge, isEnded, statuses, toWords } from './bot-status.js';
import { announce, el } from './dom.js';
import { formatAge, formatDateTime, formatDuration, levelFraction, meetingLabel, startLabel } from './format.js';
import { openSendForm } from './send-form.js';

const pageSize = 200;

export function showList(main, setConnection, signal) {
  document.title = 'Bots · NewarBots';
  const bots = new Map();
  const rows = new Map();
  const deleted = new Set();
  let cursor;
  let loading;
  let pendingDraw;
  let needsReload = false;
  let failed = false;

  const status = el('select', { id: 'status', onchange: restart },
    el('option', { value: '' }, 'Any status'), statuses.map(value => el('option', { value }, value)));
  const search = el('input', { id: 'search', type: 'search', placeholder: 'Search bots', oninput: draw });
  const count = el('p', { class: 'count', role: 'status' });
  const list = el('ul', { class: 'bots', 'aria-label': 'Bots' });
  const board = el('div', { class: 'board', hidden: true },
    el('div', { class: 'columns', 'aria-hidden': 'true' }, ['Status', 'Bot and meeting', 'User', 'Recorded', 'Created'].map(heading => el('span', {}, heading))), list);
  const state = el('div', { class: 'state' });
  const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: loadMore }, 'Show older bots');
  const start = el('button', { type: 'button', class: 'primary', onclick: () => openSendForm() }, 'Send a bot');

  main.append(
    el('div', { class: 'heading' }, el('h1', {}, 'Bots'), start),
    el('div', { class: 'filters', role: 'search' },
      el('label', { for: 'search', class: 'unseen' }, 'Search'), search,
      el('label', { for: 'status', class: 'unseen' }, 'Status'), status, count),
    board, state, more);

  async function load() {
    loading?.abort();
    loading = new AbortController();
    const superseded = loading.signal;
    failed = false;
    bots.clear();
    list.replaceChildren();
    board.hidden = true;
    rows.clear();
    more.hidden = true;
    state.replaceChildren(...Array.from({ length: 4 }, () => el('div', { class: 'skeleton', 'aria-hidden': 'true' })));
    count.textContent = 'Loading…';
    try {
      await loadPage(superseded);
    } catch (error) {
      if (superseded.aborted) return;
      needsReload = true;
      failed = true;
      count.textContent = '';
      state.replaceChildren(el('div', { class: 'empty', role: 'alert' },
        el('h2', {}, 'Could not load the bots'), el('p', {}, error.message),
        el('button', { type: 'button', onclick: restart }, 'Try again')));
    }
  }

  async function loadPage(abort) {
    const page = await listBots({ limit: pageSize, ...(status.value && { status: status.value }), ...(cursor && { cursor }) }, abort);
    // A bot that arrived as an event in the meantime is newer than this page.
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
    // The bots of events alone would look like a complete list.
    if (failed) return;
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
      ? el('div', { class: 'empty' }, el('h2', {}, 'No bots match these filters'),
        el('p', {}, cursor ? 'Older bots are not loaded yet.' : 'Try other search terms or another status.'),
        el('button', { type: 'button', onclick: () => { search.value = ''; status.value = ''; restart(); search.focus(); } }, 'Clear filters'))
      : el('div', { class: 'empty' }, el('h2', {}, 'No bots yet'),
        el('p', {}, 'A bot joins a meeting, records it, and gives you one audio file.'),
        el('button', { type: 'button', class: 'primary', onclick: () => openSendForm() }, 'Send your first bot'));
  }

  function drawSoon() {
    pendingDraw ??= requestAnimationFrame(() => {
      pendingDraw = undefined;
      draw();
    });
  }

  const source = subscribe('/bots/events', {
    open: () => {
      setConnection('live');
      // Ends and deletions are not replayed. Each later open follows a lost connection or a hidden tab, so some may be missing.
      if (needsReload) restart();
      needsReload = true;
    },
    error: () => {
      needsReload = true;
      setConnection('lost');
    },
    bot: bot => {
      if (deleted.has(bot.id)) return;
      const before = bots.get(bot.id);
      bots.set(bot.id, bot);
      if (before && before.status !== bot.status) announce(`${bot.botName} is ${bot.status}`);
      drawSoon();
    },
    deleted: ({ id }) => {
      deleted.add(id);
      bots.delete(id);
      drawSoon();
    },
  });
  function restart() {
    cursor = undefined;
    load();
  }
  addEventListener('online', restart, { signal });
  const tick = setInterval(() => rows.forEach(row => row.updateAge()), 30000);
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
  const meeting = el('span', { class: 'quiet meeting' });
  const user = el('span', { class: 'cell quiet user' });
  const recorded = el('span', { class: 'cell recorded' });
  const age = el('time', { class: 'cell quiet age' });
  const link = el('a', { href: `#/bots/${bot.id}` }, state, el('span', { class: 'cell title' }, name, meeting), user, recorded, age);
  const row = { element: el('li', {}, link), update, updateAge: () => { age.textContent = formatAge(row.bot.createdAt); } };
  update(bot);
  return row;

  function update(bot) {
    row.bot = bot;
    state.replaceChildren(badge(bot), ...[startLabel(bot), toWords(bot.reason)].filter(Boolean).map(text => el('span', { class: 'quiet reason' }, text)));
    name.textContent = bot.botName;
    meeting.textContent = meetingLabel(bot.meetingUrl);
    meeting.title = bot.meetingUrl;
    user.textContent = bot.userId;
    recorded.replaceChildren(...(bot.recordedSeconds ? [formatDuration(bot.recording?.durationSeconds ?? bot.recordedSeconds)] : []),
      ...(bot.status === 'recording' ? [meter(bot.level)] : []));
    age.setAttribute('datetime', bot.createdAt);
    age.title = formatDateTime(bot.createdAt);
    row.updateAge();
  }
}

function meter(level) {
  const bar = el('span', { class: 'bar-level' });
  bar.style.setProperty('--level', levelFraction(level));
  return el('span', { class: 'level', role: 'img', 'aria-label': `Level ${level ?? 'unknown'} dBFS` }, bar);
}
