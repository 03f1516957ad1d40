// Of the page itself nothing is there to ask again: what the network loses of it, a module of many for example, would leave it empty.
addEventListener('error', event => {
  if (event.target instanceof Element && event.target.matches('script, link[rel=stylesheet]')) setTimeout(() => location.reload(), 2000);
}, true);
