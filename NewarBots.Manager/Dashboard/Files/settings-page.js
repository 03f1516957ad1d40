import { getAbout, getHealth, session } from './api.js';
import { el } from './dom.js';
import { formatBytes } from './format.js';
import { keysCard } from './settings-keys.js';
import { webhooksCard } from './settings-webhooks.js';

const checkNames = {
  self: 'The manager', redis: 'Redis', docker: 'The container engine', storage: 'The storage', ffmpeg: 'FFmpeg', loops: 'Background work', retries: 'Bots that are retried',
  stops: 'Bots that cannot be stopped', messages: 'Messages of bots', finalizations: 'Recordings that could not be assembled', 'orphaned-folders': 'Folders without a bot',
};

const summaries = {
  healthy: 'Everything works.',
  degraded: 'Bots are accepted, but some wait until this is fixed:',
  unhealthy: 'No bots can be accepted until this is fixed:',
};

const healthInterval = 10000;

/** The state of the manager, its keys and its webhooks. */
export function showSettings(main, setConnection, signal) {
  document.title = 'Settings · NewarBots';
  setConnection('none');
  const about = card('manager', 'Manager');
  main.append(el('h1', {}, 'Settings'), el('div', { class: 'settings' },
    about.element, session.role === 'admin' && keysCard(card('keys', 'API keys'), signal), webhooksCard(card('webhooks', 'Webhooks'), signal)));

  const health = el('div', { role: 'status' });
  const facts = el('dl', { class: 'facts' });
  about.fill(health, facts);
  showHealth();
  showFacts();
  const tick = setInterval(() => document.hidden || showHealth(), healthInterval);
  signal.addEventListener('abort', () => clearInterval(tick));

  async function showHealth() {
    try {
      const { status, checks = {} } = await getHealth(signal);
      const described = Object.entries(checks).filter(([, check]) => check.status !== 'healthy' || check.description);
      health.replaceChildren(
        el('p', { class: 'group' }, el('span', { class: `status plain ${status}` }, status), el('span', {}, described.length || status === 'healthy' ? summaries[status] : 'An administrator sees the causes.')),
        el('ul', { class: 'rows' }, described.map(([name, check]) => el('li', {},
          el('div', { class: 'row-head' }, el('strong', {}, checkNames[name] ?? name), el('span', { class: `status plain ${check.status}` }, check.status)),
          el('p', { class: 'row-text' }, check.description)))));
    } catch (error) {
      if (!signal.aborted) health.replaceChildren(el('p', { class: 'error' }, error.message));
    }
  }

  async function showFacts() {
    try {
      const { version, storagePath, freeBytes, totalBytes } = await getAbout(signal);
      facts.replaceChildren(...[
        ['Version', version],
        ['Free storage', freeBytes === undefined ? undefined : `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)}`],
        ['Storage folder', storagePath],
      ].filter(([, value]) => value).map(([name, value]) => el('div', { class: 'wide' }, el('dt', {}, name), el('dd', {}, value))));
    } catch (error) {
      if (!signal.aborted) facts.replaceChildren(el('div', {}, el('dt', {}, 'Version'), el('dd', { class: 'error' }, error.message)));
    }
  }
}

function card(name, title) {
  const heading = el('div', { class: 'card-heading' }, el('h2', { id: `${name}-title` }, title));
  const body = el('div');
  return {
    element: el('section', { class: 'card', 'aria-labelledby': `${name}-title` }, heading, body),
    fill: (...nodes) => body.replaceChildren(...nodes.filter(Boolean)),
    addAction: button => heading.append(button),
  };
}
