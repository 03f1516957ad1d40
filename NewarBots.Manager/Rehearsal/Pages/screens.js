// Shows one screen of the meeting at a time, each from a template. Elements that scripts fill in or listen to have a data-slot attribute.
const { code, scenario: text } = document.body.dataset;
export const scenario = JSON.parse(text);
const { lobby } = scenario;
const stage = document.getElementById('stage');

export const guest = { name: '', microphone: true, camera: true };
let cleanUp = null;

/** Sets what runs before the next screen is shown. */
export const onScreenLeft = action => { cleanUp = action; };

/** Applies the scenario's style of apostrophes. */
export const withApostrophes = text => scenario.typographicApostrophes ? text.replaceAll("'", '\u2019') : text;

export const cloneTemplate = name => {
  const content = document.getElementById(name).content.cloneNode(true);
  const texts = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.nodeValue = withApostrophes(texts.currentNode.nodeValue);
  return content;
};

/** Shows a screen and returns a function that finds its slots. */
export const showScreen = name => {
  cleanUp?.();
  cleanUp = null;
  stage.replaceChildren(cloneTemplate(name));
  document.body.dataset.page = name;
  const slot = name => stage.querySelector(`[data-slot="${name}"]`);
  for (const element of stage.querySelectorAll('[data-slot="code"]')) element.textContent = code;
  slot('home')?.addEventListener('click', () => location.assign('/rehearsal'));
  slot('again')?.addEventListener('click', () => location.reload());
  updateCameraText();
  const preview = slot('preview');
  if (preview) startSelfPreview(preview);
  return slot;
};

/** Shows nothing at all, as Google Meet does for minutes. */
export const showBlackScreen = () => {
  cleanUp?.();
  cleanUp = null;
  const black = document.createElement('div');
  black.className = 'black';
  stage.replaceChildren(black);
};

const updateCameraText = () => {
  const preview = stage.querySelector('[data-slot="camera-text"]');
  if (preview) preview.textContent = guest.camera ? 'Camera is starting' : 'Camera is off';
};

/** Adds the microphone and camera toggles to the element, with these extra classes. */
export const addToggles = (parent, classes, onChange = () => {}) => {
  const add = () => {
    for (const device of ['camera', 'microphone']) {
      const toggle = cloneTemplate(lobby.toggles === 'Div' ? 'toggle-div' : 'toggle-button').firstElementChild;
      toggle.classList.add('round', ...classes);
      toggle.dataset.device = device;
      toggle.querySelector('use').setAttribute('href', device === 'camera' ? '#camera' : '#mic');
      let clicks = 0;
      toggle.addEventListener('click', () => {
        if (++clicks % lobby.toggleClicks !== 0) return;
        guest[device] = !guest[device];
        update();
        onChange();
      });
      const update = () => {
        toggle.setAttribute('aria-label', lobby.isGerman
          ? `${device === 'camera' ? 'Kamera' : 'Mikrofon'} ${guest[device] ? 'deaktivieren' : 'aktivieren'}`
          : `Turn ${guest[device] ? 'off' : 'on'} ${device}`);
        toggle.dataset.isMuted = !guest[device];
        updateCameraText();
      };
      toggle.addEventListener('devices', update);
      update();
      parent.prepend(toggle);
    }
  };
  if (document.body.dataset.page === 'before' && lobby.togglesAfter > 0) setTimeout(add, lobby.togglesAfter * 1000);
  else add();
};

/** Updates the toggles after something other than a click changed the devices. */
export const updateToggles = () => {
  for (const toggle of stage.querySelectorAll('[data-device]')) toggle.dispatchEvent(new Event('devices'));
};

// Meet shows guests their own camera before the call: a live stream that does not mean that a call is running.
const startSelfPreview = video => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 2;
  canvas.getContext('2d').fillRect(0, 0, 2, 2);
  video.srcObject = canvas.captureStream(0);
};

/** Replaces buttons by elements that only have the role of one, as some generations of Google Meet do. */
export const replaceButtons = root => {
  for (const button of root.querySelectorAll('button')) {
    const element = document.createElement('div');
    for (const { name, value } of button.attributes) if (name !== 'type') element.setAttribute(name, value);
    element.setAttribute('role', 'button');
    element.tabIndex = 0;
    element.append(...button.childNodes);
    button.replaceWith(element);
  }
};

/** Leaves the meeting for a page about the product. */
export const sendAway = () => location.assign('/rehearsal/product');

/** Opens a dialog over the screen; its answer closes it. */
export const openDialog = ({ heading, text, answer, other }, onAnswer = () => {}, onOther = () => {}) => {
  const kind = scenario.dialogs;
  const scrim = cloneTemplate(kind === 'Native' ? 'native-dialog' : 'dialog').firstElementChild;
  const slot = name => scrim.querySelector(`[data-slot="${name}"]`);
  const card = scrim.querySelector('.card');
  if (kind === 'Unmarked') {
    card.removeAttribute('role');
    card.removeAttribute('aria-modal');
  } else card.setAttribute('aria-label', heading);
  if (kind === 'Corner') scrim.classList.add('corner');
  slot('heading').textContent = withApostrophes(heading);
  slot('text').textContent = withApostrophes(text);
  slot('answer').textContent = answer;
  slot('other').addEventListener('click', () => onOther());
  if (other) slot('other').textContent = other;
  else slot('other').remove();
  slot('answer').addEventListener('click', () => {
    scrim.remove();
    onAnswer();
  });
  stage.firstElementChild.append(scrim);
  scrim.showModal?.();
};
