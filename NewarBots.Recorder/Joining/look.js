// One look at the page: which entries of the selector pack it shows, each with what is needed to act on it. PageView.cs
// reads the answer. It changes nothing, except that it scrolls a control into view that lies outside.
(entries, isCapturing) => {
  const plain = text => text.replace(/[\u2018\u2019]/g, "'").replace(/\s+/g, ' ').trim().toLowerCase();
  const pageText = plain(document.body?.innerText ?? '');
  const nameOf = element => plain(element.getAttribute('aria-label') || element.innerText || '');
  const isVisible = element =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })
    && element.getClientRects().length > 0;

  const controls = new Map();
  for (const element of document.querySelectorAll('button, [role=button], a[href]')) {
    const name = nameOf(element);
    if (!name) continue;
    if (!controls.has(name)) controls.set(name, []);
    controls.get(name).push(element);
  }

  const place = element => {
    let box = element.getBoundingClientRect();
    if (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth) {
      element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
      box = element.getBoundingClientRect();
    }
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    const top = document.elementFromPoint(x, y);
    return { x, y, free: top !== null && (element.contains(top) || top.contains(element)) && !element.disabled };
  };

  const elementsOf = entry =>
    entry.control ? controls.get(plain(entry.control)) ?? [] : [...document.querySelectorAll(entry.css)];

  const matchOf = entry => {
    if (entry.host) return location.hostname === entry.host ? {} : null;
    if (entry.text) return pageText.includes(plain(entry.text)) ? {} : null;
    const found = elementsOf(entry).filter(element =>
      (entry.hidden || isVisible(element)) && (!entry.name || nameOf(element) === plain(entry.name)));
    if (entry.people) {
      const names = new Map();
      for (const element of found) {
        const name = element.textContent.replace(/\s+/g, ' ').trim();
        const person = (entry.person && element.closest(`[${entry.person}]`)?.getAttribute(entry.person)) ?? element;
        if (name && !names.has(person)) names.set(person, name);
      }
      return names.size > 0 ? { names: [...names.values()] } : null;
    }
    if (entry.number) {
      const number = new RegExp(entry.number, 'i');
      const told = found.map(element => number.exec(element.getAttribute(entry.attribute ?? 'aria-label') ?? '')).find(match => match);
      const count = told ? Number.parseInt(told[1], 10) : NaN;
      return count <= 0x7fffffff ? { number: count } : null;
    }
    // Of several, one that can be clicked: dialogs lie over each other.
    let first = null;
    for (const element of found) {
      const match = { ...place(element), value: element.value == null ? null : String(element.value) };
      if (match.free) return match;
      first ??= match;
    }
    return first;
  };

  const matches = [];
  for (const entry of entries) {
    try {
      const match = matchOf(entry);
      if (match) matches.push({ entry: entry.id, ...match });
    } catch {
      // CSS or an expression that this browser does not know costs its entry only.
    }
  }
  return { url: location.href, title: document.title, capturing: isCapturing(), matches };
}
