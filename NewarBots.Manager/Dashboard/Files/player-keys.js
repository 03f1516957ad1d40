/**
 * Keys that control a player anywhere on the page, except in fields, in dialogs, and on controls that use the key themselves.
 * @param actions By key; letters in lower case.
 */
export function handleKeys(actions, signal) {
  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || isUsed(event)) return;
    event.preventDefault();
    // A key that is held down moves on, but does not play and pause in turn.
    if (event.repeat && !/^(arrow|[jl]$)/i.test(event.key)) return;
    act();
  }, { signal });
}

const fields = 'input, textarea, select, [contenteditable]';
const spaceUsers = 'button, summary, audio, [role=log]';

function isUsed({ target, key }) {
  if (document.querySelector('dialog[open]')) return true;
  if (!(target instanceof Element)) return false;
  return target.closest(fields) !== null
    || (key === ' ' && target.closest(spaceUsers) !== null)
    || (key.startsWith('Arrow') && target.closest('audio') !== null);
}
