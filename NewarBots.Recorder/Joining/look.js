// Finds the selector pack's entries that the page shows, each with the data needed to act on it. MeetingPage.cs parses the result.
// The only change it makes is to scroll a control into view.
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
    const elements = elementsOf(entry).filter(element =>
      (entry.hidden || isVisible(element)) && (!entry.name || nameOf(element) === plain(entry.name)));
    if (entry.people) {
      const names = new Map();
      for (const element of elements) {
        const name = element.textContent.replace(/\s+/g, ' ').trim();
        const person = (entry.person && element.closest(`[${entry.person}]`)?.getAttribute(entry.person)) ?? element;
        if (name && !names.has(person)) names.set(person, name);
      }
      return names.size > 0 ? { names: [...names.values()] } : null;
    }
    if (entry.number) {
      const number = new RegExp(entry.number, 'i');
      const shown = elements.map(element => number.exec(element.getAttribute(entry.attribute ?? 'aria-label') ?? '')).find(match => match);
      const count = shown ? Number.parseInt(shown[1], 10) : NaN;
      return count <= 0x7fffffff ? { number: count } : null;
    }
    // Prefers an element that can be clicked: dialogs may cover each other.
    let first = null;
    for (const element of elements) {
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
      // Invalid CSS or an invalid expression affects this entry only.
    }
  }
  return { url: location.href, title: document.title, capturing: isCapturing(), matches };
}
