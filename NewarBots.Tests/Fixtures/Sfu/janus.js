// A client of Janus over its HTTP long poll, with one handle of the VideoRoom plugin for each connection.
const room = 1234;

const openJanus = async url => {
  const post = async (path, body) => (await (await fetch(url + path, {
    method: 'POST', body: JSON.stringify({ transaction: Math.random().toString(36).slice(2), ...body }),
  })).json());
  const session = (await post('', { janus: 'create' })).data.id;
  const handles = new Map();

  // One message at a time, in order. A poll without news returns a keepalive after 30 s.
  const poll = async () => {
    for (;;) {
      try {
        const event = await (await fetch(`${url}/${session}?rid=${Date.now()}&maxev=1`)).json();
        for (const one of [event].flat()) handles.get(one.sender)?.(one.plugindata?.data ?? {}, one.jsep, one.janus);
      } catch {
        await new Promise(resolve => setTimeout(resolve, 500));
      }
    }
  };
  poll();

  return {
    async attach(onEvent) {
      const handle = (await post(`/${session}`, { janus: 'attach', plugin: 'janus.plugin.videoroom' })).data.id;
      handles.set(handle, onEvent);
      return {
        send: (body, jsep) => post(`/${session}/${handle}`, { janus: 'message', body, ...(jsep ? { jsep } : {}) }),
        completed: () => post(`/${session}/${handle}`, { janus: 'trickle', candidate: { completed: true } }),
      };
    },
    destroy: () => post(`/${session}`, { janus: 'destroy' }),
  };
};
