// Every word between the page and the manager goes through here. Who a key lets in has a cookie, which goes with all of it.

export let session = { role: 'admin' };

export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body?.detail ?? body?.title ?? `The manager answered ${status}.`);
    this.status = status;
    this.type = body?.type;
    this.retryAfter = retryAfter;
    this.errors = body?.errors ?? {};
    this.botId = body?.botId;
  }
}

const staleListeners = new Set();
const lockListeners = new Set();

/** Calls back with whether what the manager answers is old, because its store is away. */
export const onStale = listener => staleListeners.add(listener);

/** Calls back when the manager asks for a key. */
export const onLocked = listener => lockListeners.add(listener);

export async function request(path, { method = 'GET', body, key, range, signal } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...(key !== undefined && { 'X-API-Key': key }), ...(range && { Range: range }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, { detail: 'The manager cannot be reached.' });
  }
  if (method === 'GET' && path.startsWith('/bots')) {
    const isStale = response.headers.get('Warning')?.startsWith('110') ?? false;
    staleListeners.forEach(listener => listener(isStale));
  }
  if (response.status === 401 && key === undefined) lockListeners.forEach(listener => listener());
  if (!response.ok) {
    const isJson = response.headers.get('Content-Type')?.includes('json');
    throw new Problem(response.status, isJson ? await response.json() : undefined, Number(response.headers.get('Retry-After')) || undefined);
  }
  return response;
}

const json = async (path, options) => (await request(path, options)).json();

export async function getSession() {
  session = await json('/session');
  return session;
}

export async function signIn(key) {
  session = await json('/session', { method: 'POST', key });
  return session;
}

export const signOut = () => request('/session', { method: 'DELETE' });

export const listBots = (query, signal) => json(`/bots?${new URLSearchParams(query)}`, { signal });
export const getBot = (id, signal) => json(`/bots/${id}`, { signal });
export const startBot = body => json('/bots', { method: 'POST', body });
export const changeBot = (id, change) => json(`/bots/${id}`, { method: 'PATCH', body: change });
export const stopBot = id => json(`/bots/${id}/stop`, { method: 'POST' });
export const deleteBot = id => request(`/bots/${id}`, { method: 'DELETE' });
export const getManifest = (id, signal) => json(`/bots/${id}/manifest`, { signal });
export const getWaveform = (id, signal) => json(`/page/bots/${id}/waveform`, { signal });
export const getPictures = (id, signal) => json(`/page/bots/${id}/pictures`, { signal });
export const getScenarios = () => json('/page/scenarios');
const beingConverted = 'urn:newarbots:problem:recording-being-converted';

/** Resolves once there is a file at a recording's address, which the manager may have to make first: of an hour that takes minutes. */
export async function untilConverted(address, signal) {
  for (;;) {
    try {
      await request(address, { range: 'bytes=0-0', signal });
      return;
    } catch (error) {
      if (error.type !== beingConverted) throw error;
      await new Promise(resolve => setTimeout(resolve, (error.retryAfter ?? 10) * 1000));
      signal.throwIfAborted();
    }
  }
}

export const followLog = (id, signal) => request(`/bots/${id}/logs?follow=true`, { signal });

const refusedFor = 5000;

/**
 * Server-sent events: handlers by event type, with open and error beside them. Asked for again, where they are refused, until they are closed.
 * A browser has six connections to one host for all its tabs: one that nobody sees gives its own up, and hears everything when it is seen again.
 */
export function events(path, handlers) {
  let source;
  let again;
  const closed = new AbortController();
  document.addEventListener('visibilitychange', connectOrRest, { signal: closed.signal });
  connectOrRest();
  return {
    close() {
      closed.abort();
      rest();
    },
  };

  function connectOrRest() {
    rest();
    if (!document.hidden) connect();
  }

  function rest() {
    clearTimeout(again);
    source?.close();
  }

  function connect() {
    const own = source = new EventSource(path);
    for (const [type, handle] of Object.entries(handlers)) {
      own.addEventListener(type, event => handle(event.data === undefined ? undefined : JSON.parse(event.data), own));
    }
    own.addEventListener('error', () => {
      // The browser comes back by itself to a manager that is away, and to none that has answered something else.
      if (closed.signal.aborted || own !== source || own.readyState !== EventSource.CLOSED) return;
      again = setTimeout(connect, refusedFor);
      // It may be that the session is over: asking who is there tells, and asks for a key.
      getSession().catch(() => {});
    });
  }
}
