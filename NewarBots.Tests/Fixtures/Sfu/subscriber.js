// The call's page: it receives all publishers over one connection whose packets pass the test's forwarder.
const call = async ({ janusUrl, forwarder, recovers }) => {
  const tiles = new Map();
  const people = document.createElement('button');
  document.body.append(people);
  const count = () => people.setAttribute('aria-label', `People - ${tiles.size + 1} joined`);
  count();

  // The server's candidates become the forwarder's. The page's own are not sent, so that no packet takes another path.
  const forwarded = async sdp => {
    const lines = [];
    for (const line of sdp.split('\r\n')) {
      const parts = line.split(' ');
      if (!line.startsWith('a=candidate:')) lines.push(line);
      else if (parts[2].toLowerCase() === 'udp' && !parts[4].includes(':')) {
        const { address, port } = await (await fetch(`${forwarder}?address=${parts[4]}&port=${parts[5]}`)).json();
        lines.push([...parts.slice(0, 4), address, port, ...parts.slice(6)].join(' '));
      }
    }
    return lines.join('\r\n');
  };

  const janus = await openJanus(janusUrl);
  const connection = new RTCPeerConnection();
  window.connection = connection;
  const elements = new Set();
  connection.ontrack = ({ track }) => {
    const element = new Audio();
    element.srcObject = new MediaStream([track]);
    element.play().catch(() => {});
    elements.add(element);
  };

  let negotiating = Promise.resolve(), isJoined = false;
  const subscriber = await janus.attach((data, jsep) => {
    if (jsep) negotiating = negotiating.then(async () => {
      await connection.setRemoteDescription({ type: 'offer', sdp: await forwarded(jsep.sdp) });
      await connection.setLocalDescription();
      const sdp = connection.localDescription.sdp.split('\r\n').filter(line => !line.startsWith('a=candidate:')).join('\r\n');
      await subscriber.send({ request: 'start' }, { type: 'answer', sdp });
      await subscriber.completed();
    }).catch(error => console.error(error));
  });
  const subscribe = async publishers => {
    for (const { id, display } of publishers) {
      if (tiles.has(id)) continue;
      const tile = document.createElement('div'), name = document.createElement('span');
      tile.dataset.participantId = `janus/${id}`;
      name.className = 'notranslate';
      name.textContent = display;
      tile.append(name);
      document.body.append(tile);
      tiles.set(id, tile);
    }
    count();
    const feeds = publishers.map(({ id }) => ({ feed: id }));
    if (feeds.length === 0) return;
    await subscriber.send(isJoined ? { request: 'subscribe', streams: feeds } : { request: 'join', ptype: 'subscriber', room, streams: feeds });
    isJoined = true;
  };
  const guest = await janus.attach(data => {
    if (data.publishers) subscribe(data.publishers);
    if (data.videoroom === 'talking' || data.videoroom === 'stopped-talking')
      tiles.get(data.id)?.classList.toggle('speaking', data.videoroom === 'talking');
    const gone = data.leaving ?? data.unpublished;
    if (gone && tiles.has(gone)) {
      tiles.get(gone).remove();
      tiles.delete(gone);
      count();
    }
  });
  await guest.send({ request: 'join', ptype: 'publisher', room, display: 'Notes' });

  connection.onconnectionstatechange = () => {
    if (recovers && connection.connectionState === 'failed') restart();
  };
  const restart = async () => {
    // Without a network, the request fails too.
    await subscriber.send({ request: 'configure', restart: true }).catch(() => {});
    await new Promise(resolve => setTimeout(resolve, 5000));
    if (connection.connectionState !== 'connected') restart();
  };
};
