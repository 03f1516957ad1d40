import { signIn } from './api.js';
import { el } from './dom.js';

/** Asks for a key until one is good; it is given to the manager for a session, and kept nowhere. */
export function showKeyForm(main, done) {
  document.title = 'Key · NewarBots';
  const input = el('input', { id: 'key', type: 'password', required: true, autocomplete: 'current-password', spellcheck: 'false', 'aria-describedby': 'key-fault' });
  const fault = el('p', { class: 'fault', id: 'key-fault', role: 'alert' });
  const enter = el('button', { type: 'submit', class: 'primary' }, 'Sign in');
  main.replaceChildren(el('form', { class: 'card key', novalidate: true, onsubmit: submit },
    el('h1', {}, 'This manager asks for a key'),
    el('p', { class: 'quiet' }, 'Whoever runs it makes one for you. It stays signed in for half a day; the key itself is not kept in the browser.'),
    el('div', { class: 'field' }, el('label', { for: 'key' }, 'Key'), input, fault), enter));
  input.focus();

  async function submit(event) {
    event.preventDefault();
    fault.textContent = '';
    input.removeAttribute('aria-invalid');
    enter.disabled = true;
    try {
      done(await signIn(input.value.trim()));
    } catch (error) {
      fault.textContent = error.message;
      input.setAttribute('aria-invalid', 'true');
      input.select();
      input.focus();
    } finally {
      enter.disabled = false;
    }
  }
}
