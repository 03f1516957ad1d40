import { listBots, session, subscribe } from './api.js';
import { badge, endStatuses, statuses, toWords } from './bot-status.js';
import { announce, el } from './dom.js';
import { formatAge, formatDateTime, formatDuration, levelFraction, meetingLabel, startLabel } from './format.js';
import { openSendForm } from './send-form.js';

const pageSize = 50;

const typingPause = 150;

/** Events of many bots together cause one request. */
const eventPause = 500;

/** The filters by status: one button each, with the number of bots. */
const groups = [
  { name: 'All', statuses: [] },
  { name: 'Active', statuses: statuses.filter(status => status !== 'scheduled' && !endStatuses.includes(status)) },
  { name: 'Scheduled', statuses: ['scheduled'] },
  { name: 'Completed', statuses: ['completed'] },
  { name: 'Failed', statuses: ['failed'] },
  { name: 'Cancelled', statuses: ['cancelled'] },
];

const orders = [['activity', 'Active first'], ['newest', 'Newest first'], ['oldest', 'Oldest first'], ['name', 'By name'], ['longest', 'Longest first']];

let latestAddress = '#/';

/** The list with its latest filters, for links back to it. */
export const listAddress = () => latestAddress;

export function showList(main, setConnection, signal) {
  document.title = 'Bots · NewarBots';
  const given = new URLSearchParams(location.hash.split('?')[1]);
  /** The cursors of the pages before this one and of this one; the first page has none. */
  let cursors = [undefined];
  let group = groups.find(known => known.name.toLowerCase() === given.get('show')) ?? groups[0];
  let page;
  let loading;
  let pendingReload;
  let needsReload = false;
  const rows = new Map();
  const knownStatuses = new Map();

  const search = el('input', { id: 'search', type: 'search', maxlength: 200, value: given.get('q'), placeholder: 'Search bots, meetings, metadata, people', oninput: () => reloadIn(typingPause, true) });
  const user = el('input', { id: 'user', value: given.get('user'), maxlength: 64, autocomplete: 'off', oninput: () => reloadIn(typingPause, true) });
  const from = el('input', { id: 'from', type: 'date', value: given.get('from'), onchange: restart });
  const to = el('input', { id: 'to', type: 'date', value: given.get('to'), onchange: restart });
  const order = el('select', { id: 'order', onchange: restart }, orders.map(([value, label]) => el('option', { value, selected: value === given.get('sort') }, label)));
  const chips = groups.map(known => ({ known, number: el('span', { class: 'number' }), button: undefined }));
  for (const chip of chips) {
    chip.button = el('button', { type: 'button', class: 'chip', onclick: () => {
      group = chip.known;
      restart();
    } }, chip.known.name, ' ', chip.number);
  }
  const count = el('p', { class: 'count', role: 'status' });
  const list = el('ul', { class: 'bots', 'aria-label': 'Bots' });
  const board = el('div', { class: 'board', hidden: true },
    el('div', { class: 'columns', 'aria-hidden': 'true' }, ['Status', 'Bot and meeting', 'User', 'Recorded', 'Created'].map(heading => el('span', {}, heading))), list);
  const state = el('div', { class: 'state' });
  const previous = el('button', { type: 'button', onclick: () => turn(-1) }, 'Previous');
  const next = el('button', { type: 'button', onclick: () => turn(1) }, 'Next');
  const pager = el('nav', { class: 'pager', 'aria-label': 'Pages', hidden: true }, previous, next);
  const more = el('details', { class: 'more-filters', open: Boolean(user.value || from.value || to.value) }, el('summary', {}, 'User, dates, order'),
    el('div', { class: 'conditions' },
      field('Bots of user', user, session.role === 'user'), field('From', from), field('To', to), field('Order', order)));

  main.append(
    el('div', { class: 'heading' }, el('h1', {}, 'Bots'), el('button', { type: 'button', class: 'primary', onclick: () => openSendForm() }, 'Send a bot')),
    el('div', { class: 'filters', role: 'search' },
      el('label', { for: 'search', class: 'unseen' }, 'Search'), search,
      el('div', { class: 'chips', role: 'group', 'aria-label': 'Status' }, chips.map(chip => chip.button)), more),
    count, board, state, pager);

  function field(label, input, hidden = false) {
    return el('div', { class: 'field', hidden }, el('label', { for: input.id }, label), input);
  }

  /** Dates are days in the browser's time zone; the last one counts. */
  const dayAfter = (date, days) => {
    const [year, month, day] = date.split('-').map(Number);
    return new Date(year, month - 1, day + days).toISOString();
  };

  function query() {
    const cursor = cursors.at(-1);
    return [
      ['sort', order.value], ['limit', pageSize], ...group.statuses.map(status => ['status', status]),
      ['q', search.value.trim()], ['userId', user.value.trim()], ['from', from.value && dayAfter(from.value, 0)], ['to', to.value && dayAfter(to.value, 1)], ['cursor', cursor],
    ].filter(([, value]) => value);
  }

  function isFiltered() {
    return Boolean(search.value.trim() || user.value.trim() || from.value || to.value || group.statuses.length);
  }

  /** Keeps the filters in the address, so that going back, reloading and sharing keep them. */
  function keepAddress() {
    const kept = new URLSearchParams([
      ['q', search.value.trim()], ['show', group.statuses.length && group.name.toLowerCase()], ['user', user.value.trim()], ['from', from.value], ['to', to.value],
      ['sort', order.value !== orders[0][0] && order.value],
    ].filter(([, value]) => value));
    latestAddress = kept.size ? `#/?${kept}` : '#/';
    history.replaceState(null, '', latestAddress);
  }

  function reloadIn(milliseconds, isNewQuery = false) {
    if (isNewQuery) {
      clearTimeout(pendingReload);
      pendingReload = undefined;
      cursors = [undefined];
    }
    pendingReload ??= setTimeout(() => {
      pendingReload = undefined;
      load();
    }, milliseconds);
  }

  function restart() {
    cursors = [undefined];
    load();
  }

  function turn(direction) {
    if (direction > 0) cursors.push(page.nextCursor);
    else cursors.pop();
    load().then(() => main.scrollIntoView());
  }

  async function load() {
    loading?.abort();
    clearTimeout(pendingReload);
    pendingReload = undefined;
    loading = new AbortController();
    const superseded = loading.signal;
    keepAddress();
    chips.forEach(chip => { chip.button.ariaPressed = `${chip.known === group}`; });
    if (!page) {
      state.replaceChildren(...Array.from({ length: 4 }, () => el('div', { class: 'skeleton', 'aria-hidden': 'true' })));
      count.textContent = 'Loading…';
    }
    list.ariaBusy = 'true';
    try {
      page = await listBots(query(), superseded);
      show();
    } catch (error) {
      if (superseded.aborted) return;
      page = undefined;
      needsReload = true;
      board.hidden = pager.hidden = true;
      count.textContent = '';
      state.replaceChildren(el('div', { class: 'empty', role: 'alert' },
        el('h2', {}, 'Could not load the bots'), el('p', {}, error.message),
        el('button', { type: 'button', onclick: load }, 'Try again')));
    } finally {
      if (!superseded.aborted) list.ariaBusy = null;
    }
  }

  function show() {
    const { items, total, position, counts, nextCursor } = page;
    // The last bot of a page may have been deleted.
    if (!items.length && cursors.length > 1) {
      turn(-1);
      return;
    }
    const kept = new Set(items.map(bot => bot.id));
    for (const [id, row] of rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    items.forEach((bot, index) => {
      knownStatuses.set(bot.id, bot.status);
      let row = rows.get(bot.id);
      if (row) row.update(bot);
      else rows.set(bot.id, row = makeRow(bot));
      if (list.children[index] !== row.element) list.insertBefore(row.element, list.children[index] ?? null);
    });
    const number = value => value.toLocaleString();
    for (const chip of chips) {
      const wanted = chip.known.statuses.length ? chip.known.statuses : statuses;
      chip.number.textContent = number(wanted.reduce((sum, status) => sum + (counts[status] ?? 0), 0));
    }
    board.hidden = !items.length;
    const last = position + items.length - 1;
    count.textContent = !total ? '' : total === 1 ? '1 bot' : items.length === total ? `${number(total)} bots` : `${number(position)}–${number(last)} of ${number(total)} bots`;
    pager.hidden = cursors.length === 1 && !nextCursor;
    previous.disabled = cursors.length === 1;
    next.disabled = !nextCursor;
    state.replaceChildren(...(items.length ? [] : [empty()]));
  }

  function empty() {
    return isFiltered()
      ? el('div', { class: 'empty' }, el('h2', {}, search.value.trim() ? `No bots match “${search.value.trim()}”` : 'No bots match these filters'),
        el('p', {}, 'Names, meetings, metadata, reasons, statuses, users and participants are searched.'),
        el('button', { type: 'button', onclick: clearFilters }, 'Clear filters'))
      : el('div', { class: 'empty' }, el('h2', {}, 'No bots yet'),
        el('p', {}, 'A bot joins a meeting, records it, and gives you one audio file.'),
        el('button', { type: 'button', class: 'primary', onclick: () => openSendForm() }, 'Send your first bot'));
  }

  function clearFilters() {
    for (const input of [search, user, from, to]) input.value = '';
    group = groups[0];
    restart();
    search.focus();
  }

  const source = subscribe('/bots/events', {
    open: () => {
      setConnection('live');
      // Ends and deletions are not replayed. Each later open follows a lost connection or a hidden tab, so some may be missing.
      if (needsReload) load();
      needsReload = true;
    },
    error: () => {
      needsReload = true;
      setConnection('lost');
    },
    // The server knows the order and the counts; a bot that only progresses changes neither.
    bot: bot => {
      const before = knownStatuses.get(bot.id);
      knownStatuses.set(bot.id, bot.status);
      const row = rows.get(bot.id);
      row?.update(bot);
      if (row && before !== bot.status) announce(`${bot.botName} is ${bot.status}`);
      if (before !== bot.status) reloadIn(eventPause);
    },
    deleted: ({ id }) => {
      rows.get(id)?.element.remove();
      rows.delete(id);
      reloadIn(eventPause);
    },
  });
  addEventListener('online', load, { signal });
  const tick = setInterval(() => rows.forEach(row => row.updateAge()), 30000);
  signal.addEventListener('abort', () => {
    source.close();
    loading?.abort();
    clearTimeout(pendingReload);
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
