import { el } from './dom.js';

/** A form's fields, keyed by their API names, each with a line for its validation error. */
export function formFields() {
  const all = new Map();
  return { add, input: name => all.get(name).input, value: name => all.get(name).input.value.trim(), clearErrors, showErrors };

  function add(name, label, attributes) {
    const id = `field-${name.replace('.', '-')}`;
    const input = el('input', { id, 'aria-describedby': `${id}-error`, ...attributes, oninput: () => clear(field) });
    const message = el('p', { class: 'error', id: `${id}-error` });
    const field = { input, message };
    all.set(name, field);
    return el('div', { class: 'field' }, el('label', { for: id }, label), input, message);
  }

  function clear({ input, message }) {
    input.removeAttribute('aria-invalid');
    message.textContent = '';
  }

  function clearErrors() {
    all.forEach(clear);
  }

  /** Shows each error beside its field. Returns the errors that belong to no field of this form. */
  function showErrors(problem) {
    const invalid = [...all].filter(([name]) => problem.errors?.[name]);
    for (const [name, { input, message }] of invalid) {
      input.setAttribute('aria-invalid', 'true');
      message.textContent = problem.errors[name].join('; ');
      input.closest('details')?.setAttribute('open', '');
    }
    invalid[0]?.[1].input.focus();
    const others = Object.entries(problem.errors ?? {}).filter(([name]) => !all.has(name)).map(([name, messages]) => `${name} ${messages.join('; ')}`);
    return others.join('. ') || (invalid.length ? '' : problem.message);
  }
}
