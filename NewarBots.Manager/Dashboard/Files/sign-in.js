import { signIn } from './api.js';
import { el } from './dom.js';

const prefix = 'nwb_';
const keyLength = 81;

/** Asks for an API key until the manager accepts one. The key is exchanged for a session cookie and not stored. */
export function showSignIn(main, done) {
  document.title = 'Sign in · NewarBots';
  const input = el('input', { id: 'key', type: 'password', required: true, autocomplete: 'current-password', spellcheck: 'false', 'aria-describedby': 'key-error' });
  const failure = el('p', { class: 'error', id: 'key-error', role: 'alert' });
  const submitButton = el('button', { type: 'submit', class: 'primary' }, 'Sign in');
  main.replaceChildren(el('form', { class: 'card sign-in', novalidate: true, onsubmit: submit },
    el('h1', {}, 'Sign in with an API key'),
    el('p', { class: 'quiet' }, 'Ask your administrator for a key. You stay signed in for 12 hours. The key is not stored in the browser.'),
    el('div', { class: 'field' }, el('label', { for: 'key' }, 'API key'), input, failure), submitButton,
    el('p', {}, el('a', { href: '#/docs/access' }, 'How keys work'))));
  input.focus();

  async function submit(event) {
    event.preventDefault();
    failure.textContent = '';
    input.removeAttribute('aria-invalid');
    submitButton.disabled = true;
    try {
      done(await signIn(input.value.trim()));
    } catch (error) {
      failure.textContent = error.status === 401 ? explain(input.value.trim()) : error.message;
      input.setAttribute('aria-invalid', 'true');
      input.select();
      input.focus();
    } finally {
      submitButton.disabled = false;
    }
  }
}

/** Why the manager rejected a key, as far as its text shows, and what to do. */
function explain(key) {
  if (!key) return 'Enter a key.';
  if (!key.startsWith(prefix)) return `This is not a key of NewarBots. Keys start with ${prefix}.`;
  if (key.length !== keyLength) return `This key has ${key.length} characters instead of ${keyLength}. Copy all of it.`;
  return 'The manager does not know this key: it was revoked, mistyped, or belongs to another manager. An administrator can create a new one with ./run keys add NAME.';
}
