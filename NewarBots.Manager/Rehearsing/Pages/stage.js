// The stage: one page of the meeting at a time, each from a template. What is to be filled in or clicked has a slot.
const { code, scenario: text } = document.body.dataset;
export const scenario = JSON.parse(text);
const { door } = scenario;
const stage = document.getElementById('stage');

export const guest = { name: '', microphone: true, camera: true };
let leave = null;

/** What is to be undone when the next page is shown. */
export const onLeave = undo => { leave = undo; };

/** In the apostrophes of the scenario. */
export const say = text => scenario.typographicApostrophes ? text.replaceAll("'", '\u2019') : text;

export const fill = name => {
  const content = document.getElementById(name).content.cloneNode(true);
  const texts = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.nodeValue = say(texts.currentNode.nodeValue);
  return content;
};

/** Shows a page and returns what finds its slots. */
export const show = name => {
  leave?.();
  leave = null;
  stage.replaceChildren(fill(name));
  document.body.dataset.page = name;
  const slot = name => stage.querySelector(`[data-slot="${name}"]`);
  for (const element of stage.querySelectorAll('[data-slot="code"]')) element.textContent = code;
  slot('home')?.addEventListener('click', () => location.assign('/rehearsal'));
  slot('again')?.addEventListener('click', () => location.reload());
  drawCamera();
  const preview = slot('preview');
  if (preview) showOneself(preview);
  return slot;
};

const drawCamera = () => {
  const preview = stage.querySelector('[data-slot="camera-text"]');
  if (preview) preview.textContent = guest.camera ? 'Camera is starting' : 'Camera is off';
};

/** Puts the toggles of microphone and camera in their place. */
export const addToggles = (place, look, onChange = () => {}) => {
  const add = () => {
    for (const device of ['camera', 'microphone']) {
      const toggle = fill(door.toggles === 'Div' ? 'toggle-div' : 'toggle-button').firstElementChild;
      toggle.classList.add('round', ...look);
      toggle.dataset.device = device;
      toggle.querySelector('use').setAttribute('href', device === 'camera' ? '#camera' : '#mic');
      let clicks = 0;
      toggle.addEventListener('click', () => {
        if (++clicks % door.toggleClicks !== 0) return;
        guest[device] = !guest[device];
        draw();
        onChange();
      });
      const draw = () => {
        toggle.setAttribute('aria-label', `Turn ${guest[device] ? 'off' : 'on'} ${device}`);
        toggle.dataset.isMuted = !guest[device];
        drawCamera();
      };
      toggle.addEventListener('devices', draw);
      draw();
      place.prepend(toggle);
    }
  };
  if (document.body.dataset.page === 'before' && door.togglesAfter > 0) setTimeout(add, door.togglesAfter * 1000);
  else add();
};

/** Draws the toggles anew, where something else than a click has changed the devices. */
export const drawToggles = () => {
  for (const toggle of stage.querySelectorAll('[data-device]')) toggle.dispatchEvent(new Event('devices'));
};

// Meet shows the guest to itself before it is in the call: a live stream that is no sign of a call.
const showOneself = video => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 2;
  canvas.getContext('2d').fillRect(0, 0, 2, 2);
  video.srcObject = canvas.captureStream(0);
};

/** Lays a dialog over the page; the answer takes it away. */
export const ask = ({ heading, text, answer, other }, onAnswer = () => {}, onOther = () => {}) => {
  const scrim = fill('dialog').firstElementChild;
  const slot = name => scrim.querySelector(`[data-slot="${name}"]`);
  scrim.querySelector('[role=dialog]').setAttribute('aria-label', heading);
  slot('heading').textContent = say(heading);
  slot('text').textContent = say(text);
  slot('answer').textContent = answer;
  slot('other').addEventListener('click', () => onOther());
  if (other) slot('other').textContent = other;
  else slot('other').remove();
  slot('answer').addEventListener('click', () => {
    scrim.remove();
    onAnswer();
  });
  stage.firstElementChild.append(scrim);
};
