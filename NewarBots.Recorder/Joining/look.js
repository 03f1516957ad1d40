// Finds the selector pack's entries that the page shows, each with the data needed to act on it, and the open dialogs with their buttons.
// MeetingPage.cs parses the result. It changes nothing, except that it scrolls the target, which is about to be clicked, into view.
({ entries, neverAnswers }, isCapturing, receivedBytes, target) => {
  const controlSelector = 'button, [role=button], a[href]';
  const dialogSelector = 'dialog[open], [role=dialog], [role=alertdialog], [aria-modal=true]';
  const smallest = 4; // px: what is smaller is meant for screen readers
  const coveringShare = 0.6; // of the window: what covers this much, and a control behind it, acts as a dialog
  const iconClass = /icon|material|symbols/i, iconFont = /^[^,]*(icons|symbols)/i;
  const maxButtons = 8, maxDialogs = 4, maxText = 600, maxName = 80, maxPeople = 200;

  const plain = text => text.replace(/[\u2018\u2019]/g, "'").replace(/\s+/g, ' ').trim().toLowerCase();
  const withoutDigits = text => text.replace(/\d/g, '');
  const squeeze = text => text.replace(/\s+/g, ' ').trim();

  // The document and the open shadow roots in it.
  const trees = [document];
  for (const tree of trees) for (const element of tree.querySelectorAll('*')) if (element.shadowRoot) trees.push(element.shadowRoot);
  const findAll = selector => trees.flatMap(tree => [...tree.querySelectorAll(selector)]);
  const parentOf = element => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host ?? null;
  const closestOf = (element, selector) => {
    while (element && !element.matches(selector)) element = parentOf(element);
    return element;
  };
  const holds = (outer, element) => {
    while (element && element !== outer) element = parentOf(element);
    return element === outer;
  };
  const topAt = (x, y) => {
    let top = document.elementFromPoint(x, y);
    for (let inner; (inner = top?.shadowRoot?.elementFromPoint(x, y)) && inner !== top && holds(top, inner);) top = inner;
    return top;
  };
  // innerText leaves out shadow roots. An element that is not rendered, such as a style, has its source as innerText.
  const textOf = element => [element.innerText ?? '', ...trees.slice(1)
    .filter(({ host }) => holds(element, host))
    .flatMap(({ children }) => [...children].filter(child => child.checkVisibility()).map(child => child.innerText ?? ''))].join('\n').trim();

  const pageText = document.body ? plain(textOf(document.body)) : '';

  // An icon font draws an icon for the text in it, such as more_vert.
  const isIcon = element => element.matches('i, svg, [aria-hidden=true]') || iconClass.test(element.getAttribute('class') ?? '')
    || iconFont.test(getComputedStyle(element).fontFamily) || /^[a-z0-9]+(_[a-z0-9]+)+$/.test(element.textContent.trim());
  const textWithoutIcons = (element, isShown = () => true) => isIcon(element) || !isShown(element) ? '' : [...element.childNodes]
    .map(node => node.nodeType === Node.TEXT_NODE ? node.data : node.nodeType === Node.ELEMENT_NODE ? textWithoutIcons(node, isShown) : '').join('');

  // The label comes first, then the visible text. They may differ: "Ask to join" is labelled "Ask to join without microphone & camera".
  const labelIn = element => element.getAttribute('aria-label') || (element.getAttribute('aria-labelledby') ?? '').split(/\s+/)
    .map(id => (id && element.getRootNode().getElementById?.(id)?.textContent) || '').join(' ').trim();
  const visibleTextOf = element => {
    if (![...element.querySelectorAll('*')].some(isIcon)) return textOf(element);
    return textWithoutIcons(element, child => child.checkVisibility()).trim() || textOf(element);
  };
  const names = new Map();
  const namesOf = element => {
    if (!names.has(element)) names.set(element, [...new Set([labelIn(element), visibleTextOf(element)].map(squeeze))].filter(name => name));
    return names.get(element);
  };
  const labelOf = element => namesOf(element)[0] ?? '';
  // Without a shortcut, such as "Turn off microphone (ctrl + d)".
  const plainNames = new Map();
  const plainNamesOf = element => {
    if (!plainNames.has(element)) plainNames.set(element, namesOf(element).map(plain).flatMap(name => [name, name.replace(/\s*\([^()]*\)$/, '')]));
    return plainNames.get(element);
  };

  // The elements that contain another and may clip it, from the inside out. A positioned element ignores those inside its containing block.
  const clippersOf = element => {
    const clippers = [];
    let { position } = getComputedStyle(element);
    for (let outer = parentOf(element); outer && outer !== document.body && outer !== document.documentElement; outer = parentOf(outer)) {
      const style = getComputedStyle(outer);
      const isAnchor = style.transform !== 'none' || style.filter !== 'none' || style.perspective !== 'none' || style.contain.includes('paint');
      if (!isAnchor && (position === 'fixed' || (position === 'absolute' && style.position === 'static'))) continue;
      position = style.position;
      if (style.display !== 'inline' && style.display !== 'contents') clippers.push({ outer, style });
    }
    return { clippers, isFixed: position === 'fixed' };
  };

  const isLargeEnough = ({ left, right, top, bottom }) => right - left >= smallest && bottom - top >= smallest;
  const intersect = (a, b) => ({
    left: Math.max(a.left, b.left), right: Math.min(a.right, b.right), top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom),
  });
  const isScrollable = overflow => overflow === 'auto' || overflow === 'scroll';

  // A person would see it, were nothing in front of it and the page scrolled there.
  const looksVisible = element => {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) return false;
    let box = element.getBoundingClientRect();
    if (!isLargeEnough(box) || box.right + scrollX <= 0 || box.bottom + scrollY <= 0) return false;
    for (let outer = element; outer && outer !== document.body; outer = parentOf(outer)) {
      const { clipPath, clip } = getComputedStyle(outer);
      if (clipPath.startsWith('inset(50%') || /^rect\((0|1)px,? (0|1)px,? (0|1)px,? (0|1)px\)$/.test(clip)) return false;
    }
    const { clippers, isFixed } = clippersOf(element);
    for (const { outer, style } of clippers) {
      const area = outer.getBoundingClientRect();
      // Scrolling can bring it to any part of a scrollable area.
      const across = isScrollable(style.overflowX) ? area : style.overflowX === 'visible' ? box : intersect(box, area);
      const along = isScrollable(style.overflowY) ? area : style.overflowY === 'visible' ? box : intersect(box, area);
      box = { left: across.left, right: across.right, top: along.top, bottom: along.bottom };
      if (!isLargeEnough(box)) return false;
    }
    return !isFixed || isLargeEnough(intersect(box, { left: 0, top: 0, right: innerWidth, bottom: innerHeight }));
  };
  const visibility = new Map();
  const isVisible = element => {
    if (!visibility.has(element)) visibility.set(element, looksVisible(element));
    return visibility.get(element);
  };

  const named = findAll(controlSelector).filter(element => labelOf(element));
  const isEnabled = element => !element.disabled && element.ariaDisabled !== 'true';

  const isCalled = (element, { control, sign }) => plainNamesOf(element).some(name => name === plain(control)
    || (sign === 'join_button' && /^ without .*\b(microphone|mic|camera)\b/.test(name.startsWith(plain(control)) ? name.slice(plain(control).length) : '')));
  const elementsOf = entry => {
    try {
      const elements = entry.control ? named.filter(element => isCalled(element, entry)) : entry.css ? findAll(entry.css) : [];
      return entry.name ? elements.filter(element => plainNamesOf(element).includes(plain(entry.name))) : elements;
    } catch {
      return []; // Invalid CSS affects this entry only.
    }
  };

  const isAt = (element, x, y) => {
    const top = topAt(x, y);
    return top !== null && (holds(element, top) || holds(top, element));
  };
  const isScrolledIn = (element, x, y) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight && clippersOf(element).clippers.every(({ outer, style }) => {
    if (!isScrollable(style.overflowX) && !isScrollable(style.overflowY)) return true;
    const { left, right, top, bottom } = outer.getBoundingClientRect();
    return x >= left && x < right && y >= top && y < bottom;
  });
  // Before an element is scrolled into view, nobody knows what covers it. It is scrolled when it is clicked.
  const place = element => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const x = left + width / 2, y = top + height / 2;
    return { x, y, free: isEnabled(element) && (!isScrolledIn(element, x, y) || isAt(element, x, y)) };
  };
  const placeTarget = element => {
    const before = place(element);
    if (!isScrolledIn(element, before.x, before.y)) element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    return place(element);
  };

  const answering = ['dialog', 'obstacle', 'stay', 'join_button'];
  const buttonEntries = new Map();
  for (const entry of entries.filter(({ control, sign }) => control || answering.includes(sign)))
    for (const element of elementsOf(entry)) if (!buttonEntries.has(element)) buttonEntries.set(element, entry.id);
  const entryOf = element => buttonEntries.get(element) ?? null;
  // A link would lead away from the meeting, unless the pack knows it.
  const buttonsIn = root => named.filter(button =>
    button !== root && holds(root, button) && isVisible(button) && (!button.matches('a[href]:not([role=button])') || entryOf(button) !== null));
  // A tile shows controls of its own over the name in it while the mouse is over it.
  const tileSelector = [...new Set(entries.map(({ person }) => person).filter(person => person))].map(person => `[${person}]`).join(', ');

  // Finds an element that covers a control and most of the window, but is not marked as a dialog. The buttons may be in an element beside the scrim.
  const coverOf = (element, own) => {
    const box = element.getBoundingClientRect();
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    const top = topAt(x, y);
    if (!top || holds(element, top) || holds(top, element)) return null;
    if (tileSelector && closestOf(element, tileSelector) && holds(closestOf(element, tileSelector), top)) return null;
    let root = top, covered = 0;
    for (let outer = top; outer && !holds(outer, element); outer = parentOf(outer)) {
      const { width, height } = outer.getBoundingClientRect();
      covered = Math.max(covered, Math.min(width, innerWidth) * Math.min(height, innerHeight));
      root = outer;
    }
    if (covered < coveringShare * innerWidth * innerHeight) return null;
    const roots = [root, ...[...root.parentNode?.children ?? []].filter(other => other !== root && !holds(other, element))];
    return roots.find(candidate => {
      const buttons = buttonsIn(candidate);
      return buttons.length > 0 && buttons.length <= maxButtons && ![...findAll('video'), ...own].some(element => holds(candidate, element)) && buttons.some(button => place(button).free);
    }) ?? null;
  };

  const matcherOf = patterns => {
    const expressions = patterns.flatMap(pattern => {
      try {
        return [new RegExp(pattern, 'i')];
      } catch {
        return []; // An invalid expression affects itself only.
      }
    });
    return control => expressions.some(expression => namesOf(control).some(name => expression.test(plain(name))));
  };

  const elementsFor = signs => entries.filter(({ sign }) => signs.includes(sign)).flatMap(elementsOf).filter(isVisible);

  const findDialogs = () => {
    // The whole page may be marked as a dialog. An element that contains the lobby's or the call's own controls is no dialog.
    const own = elementsFor(['name_box', 'microphone_on', 'microphone_off', 'camera_on', 'camera_off', 'participant']);
    const marked = findAll(dialogSelector)
      .filter(dialog => (isVisible(dialog) || buttonsIn(dialog).length > 0) && !own.some(element => holds(dialog, element)));
    const outermost = marked.filter(dialog => !marked.some(other => other !== dialog && holds(other, dialog)));
    const found = outermost.map(root => ({
      root,
      isCandidate: false,
      isModal: [root, ...marked.filter(inner => holds(root, inner))].some(one => one.getAttribute('aria-modal') === 'true' || one.matches(':modal')),
    }));
    const ground = [...own, ...elementsFor(['leave_button', 'join_button'])].filter(element => !found.some(({ root }) => holds(root, element)));
    for (const element of ground.slice(0, 12)) {
      const cover = coverOf(element, own);
      if (!cover) continue;
      const same = found.filter(({ root }) => holds(root, cover) || holds(cover, root));
      if (same.length === 0) found.push({ root: cover, isCandidate: false, isModal: true });
      for (const dialog of same) dialog.isModal = true;
    }
    // Two buttons without any mark of a dialog, of which one must not be clicked. They may be a question, which LeaveQuestion.cs decides.
    const isNever = matcherOf(neverAnswers ?? []);
    const callOwn = [...own, ...elementsFor(['leave_button', 'call_control', 'join_button'])];
    const isPair = root => root && buttonsIn(root).length === 2 && !callOwn.some(other => holds(root, other));
    for (const element of named.filter(control => isNever(control) && isVisible(control))) {
      let root = parentOf(element);
      while (root && buttonsIn(root).length < 2) root = parentOf(root);
      if (!isPair(root)) continue;
      // The text of the question may be beside the buttons.
      while (!textOf(root).includes('?') && isPair(parentOf(root))) root = parentOf(root);
      if (!found.some(({ root: other }) => holds(other, root) || holds(root, other))) found.push({ root, isCandidate: true, isModal: false });
    }
    return found.map(dialog => ({ ...dialog, buttons: buttonsIn(dialog.root).slice(0, maxButtons).map(element => ({ element, ...place(element) })) }));
  };

  const dialogs = findDialogs();
  // The dialog on top comes first: its buttons can be clicked. If several are open, the last one in the page was opened last.
  const rank = ({ isCandidate, isModal, buttons }) => (isModal ? 4 : 0) + (isCandidate ? 0 : 2) + (buttons.some(({ free }) => free) ? 1 : 0);
  dialogs.reverse().sort((a, b) => rank(b) - rank(a));
  const modal = dialogs.find(({ isModal }) => isModal)?.root ?? null;

  // The innermost elements with the text. Not text that only a screen reader reads out: such text outlives what it announced. Nor somebody's name.
  const elementsWith = text => {
    if (!pageText.includes(text)) return [];
    const find = element => {
      const inner = [...element.children, ...element.shadowRoot?.children ?? []].filter(child => plain(textOf(child)).includes(text));
      return inner.length > 0 ? inner.flatMap(find) : isVisible(element) ? [element] : [];
    };
    return find(document.body).filter(element => !tileSelector || !closestOf(element, tileSelector));
  };
  // Begins and ends with a sentence or a line. Otherwise the text may be part of somebody's name or message, or of the meeting's title.
  const isWhole = (element, text) => textOf(element).split(/\n|(?<=[.!?\u2026])\s/)
    .some(sentence => plain(sentence).replace(/[.!\u2026]+$/, '').trim() === text.replace(/[.!\u2026]+$/, ''));

  // Not a window that holds the chat: its text is long, or can be written.
  const notices = dialogs.filter(({ isModal, root }) => isModal && textOf(root).length <= maxText
    && !findAll('input, textarea, [role=textbox], [contenteditable=true]').some(box => holds(root, box) && isVisible(box)));
  const isInModal = text => notices.some(({ root }) => plain(textOf(root)).includes(text));

  // While a dialog is open, the page around the tile may be hidden from screen readers.
  const isInIcon = (element, tile) => {
    for (let outer = element; outer && outer !== tile; outer = parentOf(outer)) if (isIcon(outer)) return true;
    return false;
  };

  let isConcealed = false;
  const matchOf = entry => {
    if (entry.host) return location.hostname === entry.host || location.hostname.endsWith(`.${entry.host}`) ? {} : null;
    if (entry.text) {
      const text = plain(entry.text), elements = elementsWith(text);
      const isPart = elements.length > 0 && !elements.some(element => isWhole(element, text));
      return elements.length === 0 || (entry.whole && isPart) ? null : { inModal: isInModal(text), part: isPart };
    }
    if (entry.people) {
      const people = new Map();
      for (const element of elementsOf(entry)) {
        const tile = entry.person && closestOf(element, `[${entry.person}]`);
        const person = tile?.getAttribute(entry.person) || element;
        const text = isInIcon(element, tile || element.parentElement) ? '' : textWithoutIcons(element);
        const name = (squeeze(text) || squeeze(element.getAttribute('data-self-name') ?? '')).slice(0, maxName);
        if (name && !people.has(person) && people.size < maxPeople && (entry.hidden || isVisible(tile || element))) people.set(person, name);
      }
      return people.size > 0
        ? { names: [...people.values()], persons: [...people.keys()].map((person, i) => typeof person === 'string' ? person : `${entry.id} ${i}`) }
        : null;
    }
    const all = elementsOf(entry);
    const visible = all.filter(element => isVisible(element) && (entry.sign !== 'call_control' || isEnabled(element)));
    if (entry.number) {
      const number = new RegExp(entry.number, 'i');
      const numbersOf = elements => elements
        .map(element => Number.parseInt(number.exec(element.getAttribute(entry.attribute ?? 'aria-label') ?? '')?.[1], 10))
        .filter(count => count <= 0x7fffffff);
      const counts = numbersOf(visible);
      if (counts.length === 0) isConcealed ||= numbersOf(all).length > 0;
      const used = counts.length > 0 ? counts : entry.hidden ? numbersOf(all) : [];
      return used.length > 0 ? { number: Math.max(...used) } : null;
    }
    if (['leave_button', 'call_control'].includes(entry.sign) && visible.length === 0) isConcealed ||= all.length > 0;
    // Prefers an element of the modal dialog, then one that can be clicked, then a join button of another dialog: the lobby's own stays behind it.
    const isInDialog = element => entry.sign === 'join_button' && dialogs.some(({ root }) => holds(root, element));
    let best = null;
    for (const element of visible.length > 0 ? visible : entry.hidden ? all : []) {
      const match = { ...(target?.entry === entry.id ? placeTarget : place)(element), hidden: visible.length === 0, value: element.value == null ? null : String(element.value) };
      const worth = (modal === null || holds(modal, element) ? 4 : 0) + (match.free ? 2 : 0) + (isInDialog(element) ? 1 : 0);
      if (best === null || worth > best.worth) best = { match, worth };
    }
    return best?.match ?? null;
  };

  // A page that is black may still have a button with an icon.
  const isBlank = () => {
    if (pageText.length > maxName || findAll('input, [role=textbox]').some(isVisible)) return false;
    return findAll('i, span, svg, [aria-hidden=true]').filter(isIcon).reduce((text, icon) => text.replace(plain(icon.textContent), ''), pageText).trim() === '';
  };

  const matches = [];
  for (const entry of entries) {
    try {
      const match = matchOf(entry);
      if (match) matches.push({ entry: entry.id, ...match });
    } catch {
      // An invalid expression affects this entry only.
    }
  }

  return {
    url: location.href,
    title: document.title,
    capturing: isCapturing(),
    receivedBytes: receivedBytes(),
    concealed: isConcealed,
    blank: isBlank(),
    matches,
    dialogs: dialogs.slice(0, maxDialogs).map(({ root, isCandidate, isModal, buttons }) => ({
      text: squeeze(textOf(root) || root.getAttribute('aria-label') || '').slice(0, maxText),
      candidate: isCandidate,
      modal: isModal,
      buttons: buttons.map(({ element, ...found }) => ({
        name: labelOf(element).slice(0, maxName), otherName: namesOf(element)[1]?.slice(0, maxName) ?? null, entry: entryOf(element),
        ...(target?.button && withoutDigits(target.button) === withoutDigits(labelOf(element).slice(0, maxName)) ? placeTarget(element) : found),
      })),
    })),
  };
}
