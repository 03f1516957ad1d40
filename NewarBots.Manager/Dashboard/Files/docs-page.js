import { getDocument } from './api.js';
import { el } from './dom.js';

const pages = [
  ['page', 'The web page'], ['api', 'API'], ['reasons', 'Reasons and gaps'], ['problems', 'Problems'], ['access', 'Access and keys'], ['transcripts', 'Transcripts'], ['webhooks', 'Webhooks'], ['mcp', 'MCP'],
  ['rehearsal', 'Rehearsal'], ['configuration', 'Configuration'], ['deployment', 'Deployment'], ['telemetry', 'Telemetry and health'], ['security', 'Security'],
];

/** The docs of this version of the manager. */
export async function showDocs(main, setConnection, signal, name = 'page', heading = undefined) {
  setConnection('none');
  document.title = 'Docs · NewarBots';
  const text = el('article', { class: 'docs-text' }, el('p', { class: 'quiet' }, 'Loading…'));
  main.append(el('div', { class: 'docs' },
    el('nav', { 'aria-label': 'Docs', class: 'docs-list' }, el('ul', {}, pages.map(([page, title]) =>
      el('li', {}, el('a', { href: `#/docs/${page}`, 'aria-current': page === name ? 'page' : undefined }, title))))),
    text));
  try {
    text.replaceChildren(...(await getDocument(name, signal)).body.childNodes);
    document.title = `${text.querySelector('h1')?.textContent ?? name} · NewarBots`;
    const target = heading && text.querySelector(`#${CSS.escape(heading)}`);
    target?.scrollIntoView();
    target?.focus({ preventScroll: true });
  } catch (error) {
    if (!signal.aborted) text.replaceChildren(el('p', { class: 'error', role: 'alert' }, error.status === 404 ? 'This version has no such page.' : error.message));
  }
}

let actions;

/** What to do about a reason, as nodes: the last column of the table in the docs. */
export async function actionFor(reason) {
  actions ??= getDocument('reasons');
  try {
    const action = (await actions).getElementById(reason)?.lastElementChild;
    return action && action.textContent !== 'Nothing.' ? [...action.cloneNode(true).childNodes] : undefined;
  } catch {
    actions = undefined;
    return undefined;
  }
}
