// Of the page itself nothing is there to ask again: what the network loses of it, a module of many for example, would leave it empty. What never
// comes, because something on the way refuses it, is given up.
addEventListener('error', event => {
  if (!(event.target instanceof Element && event.target.matches('script, link[rel=stylesheet]'))) return;
  const tries = Number(sessionStorage.getItem('reloads'));
  if (tries >= 5) return;
  sessionStorage.setItem('reloads', tries + 1);
  setTimeout(() => location.reload(), 2000 * 2 ** tries);
}, true);
