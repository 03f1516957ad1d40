import { el } from './dom.js';

/** The fields of a form by their names in the API, each with a place beside it for what is wrong with it. */
export function formFields() {
  const all = new Map();
  return { add, input: name => all.get(name).input, value: name => all.get(name).input.value.trim(), clear, show };

  function add(name, label, attributes) {
    const id = `field-${name.replace('.', '-')}`;
    const input = el('input', { id, 'aria-describedby': `${id}-fault`, ...attributes });
    const message = el('p', { class: 'fault', id: `${id}-fault` });
    all.set(name, { input, message });
    return el('div', { class: 'field' }, el('label', { for: id }, label), input, message);
  }

  function clear() {
    for (const { input, message } of all.values()) {
      input.removeAttribute('aria-invalid');
      message.textContent = '';
    }
  }

  /** Says at each field what is wrong with it. Returns what is said of none of them. */
  function show(problem) {
    const faulty = [...all].filter(([name]) => problem.errors?.[name]);
    for (const [name, { input, message }] of faulty) {
      input.setAttribute('aria-invalid', 'true');
      message.textContent = problem.errors[name].join('; ');
      input.closest('details')?.setAttribute('open', '');
    }
    faulty[0]?.[1].input.focus();
    const elsewhere = Object.entries(problem.errors ?? {}).filter(([name]) => !all.has(name)).map(([name, faults]) => `${name} ${faults.join('; ')}`);
    return elsewhere.join('. ') || (faulty.length ? '' : problem.message);
  }
}
