// Reloads the page after a script or stylesheet of it failed to load: a missing module would leave the page empty. Waits longer each time and
// stops after five attempts, since something between the browser and the manager may block the file for good.
addEventListener('error', event => {
  if (!(event.target instanceof Element && event.target.matches('script, link[rel=stylesheet]'))) return;
  const tries = Number(sessionStorage.getItem('reloads'));
  if (tries >= 5) return;
  sessionStorage.setItem('reloads', tries + 1);
  setTimeout(() => location.reload(), 2000 * 2 ** tries);
}, true);
