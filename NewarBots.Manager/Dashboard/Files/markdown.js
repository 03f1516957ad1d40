import { el } from './dom.js';

// Renders the Markdown of the manager's own docs: headings, paragraphs, lists, tables, code blocks, and inline code, links, images and bold text.

const inlinePattern = /`([^`]+)`|!\[([^\]]*)\]\(([^)\s]+)\)|\[((?:`[^`]*`|[^\]])+)\]\(([^)\s]+)\)|\*\*([^*]+)\*\*|<(https?:[^>\s]+)>/g;

/** The id that GitHub gives a heading. */
export const headingId = text => text.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');

/**
 * @param text Markdown.
 * @param link Called with the target of a link or image: returns its address, or undefined if it has none here.
 */
export function renderMarkdown(text, link) {
  const lines = text.replaceAll('\r', '').split('\n');
  const blocks = [];
  while (lines.length) {
    const line = lines[0];
    const heading = /^(#{1,6}) (.*)$/.exec(line);
    if (!line.trim()) lines.shift();
    else if (fence.test(line)) blocks.push(codeBlock(lines));
    else if (heading) {
      lines.shift();
      blocks.push(el(`h${heading[1].length}`, { id: headingId(heading[2]), tabindex: -1 }, inline(heading[2], link)));
    } else if (line.startsWith('|')) blocks.push(table(lines, link));
    else if (listItem.test(line)) blocks.push(list(lines, link));
    else blocks.push(el('p', {}, inline([lines.shift(), ...take(lines, isText)].join(' '), link)));
  }
  return blocks;
}

/** The rows of the first table, as arrays of Markdown cells, without its header. */
export function firstTable(text) {
  const lines = text.split('\n');
  const start = lines.findIndex(line => line.startsWith('|'));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return rowsOf(lines.slice(start, end)).slice(1);
}

/** Inline Markdown as nodes. */
export function inline(text, link) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(inlinePattern)) {
    nodes.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    const [, code, alt, image, label, target, bold, address] = match;
    if (code) nodes.push(el('code', {}, code));
    else if (image) nodes.push(link(image) ? el('img', { src: link(image), alt, loading: 'lazy' }) : alt);
    else if (label) nodes.push(anchor(inline(label, link), target, link));
    else if (bold) nodes.push(el('strong', {}, inline(bold, link)));
    else nodes.push(anchor(address, address, link));
  }
  nodes.push(text.slice(at));
  return nodes.filter(node => node !== '');
}

function anchor(content, target, link) {
  const address = link(target);
  if (!address) return el('span', {}, content);
  const isElsewhere = /^https?:/.test(address);
  return el('a', { href: address, ...(isElsewhere && { rel: 'noreferrer', target: '_blank' }) }, content);
}

const listItem = /^ *(?:[-*]|\d+\.) +/;

const fence = /^ *```/;

const isText = line => line.trim() && !fence.test(line) && !line.startsWith('|') && !line.startsWith('#') && !listItem.test(line);

function take(lines, isPart) {
  const taken = [];
  while (lines.length && isPart(lines[0])) taken.push(lines.shift());
  return taken;
}

function codeBlock(lines) {
  const indent = /^ */.exec(lines.shift())[0].length;
  const code = take(lines, line => !fence.test(line)).map(line => line.slice(Math.min(indent, line.search(/\S|$/))));
  lines.shift();
  return el('pre', { tabindex: 0 }, el('code', {}, code.join('\n')));
}

function list(lines, link) {
  const isOrdered = /^ *\d/.test(lines[0]);
  const items = [];
  while (lines.length && listItem.test(lines[0])) {
    const first = lines.shift().replace(listItem, '');
    items.push(el('li', {}, inline([first, ...take(lines, isText).map(line => line.trim())].join(' '), link)));
  }
  return el(isOrdered ? 'ol' : 'ul', {}, items);
}

function table(lines, link) {
  const [header, ...rows] = rowsOf(take(lines, line => line.startsWith('|')));
  return el('div', { class: 'table', tabindex: 0, role: 'group', 'aria-label': `Table: ${header.join(', ')}` },
    el('table', {},
      el('thead', {}, el('tr', {}, header.map(cell => el('th', { scope: 'col' }, inline(cell, link))))),
      el('tbody', {}, rows.map(cells => {
        const name = /^`([a-z_]+)`$/.exec(cells[0])?.[1];
        return el('tr', { id: name, ...(name && { tabindex: -1 }) }, cells.map(cell => el('td', {}, inline(cell, link))));
      }))));
}

const rowsOf = lines => lines
  .filter(line => !/^\|[ |:-]+\|$/.test(line))
  .map(line => line.trim().slice(1, -1).split(/(?<!\\)\|/).map(cell => cell.trim().replaceAll('\\|', '|')));
