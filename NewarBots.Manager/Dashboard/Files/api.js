// The client of the manager's API. All requests of the page go through here; a signed-in session travels as a cookie.

export let session = { role: 'admin' };

/** A request that failed; status 0 means that no response arrived. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body?.detail ?? body?.title ?? `The manager answered with status ${status}.`);
    this.status = status;
    this.type = body?.type;
    this.retryAfter = retryAfter;
    this.errors = body?.errors ?? {};
    this.botId = body?.botId;
  }
}

const staleListeners = new Set();
const signedOutListeners = new Set();

/** Calls back after each read of bots: true if the manager served its last known state because Redis is unavailable. */
export const onStale = listener => staleListeners.add(listener);

/** Calls back when the manager asks for a key. */
export const onSignedOut = listener => signedOutListeners.add(listener);

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
    throw new Problem(0, { detail: 'The manager is unreachable.' });
  }
  if (method === 'GET' && path.startsWith('/bots')) {
    const isStale = response.headers.get('Warning')?.startsWith('110') ?? false;
    staleListeners.forEach(listener => listener(isStale));
  }
  if (response.status === 401 && key === undefined) signedOutListeners.forEach(listener => listener());
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
export const getParticipants = (id, signal) => json(`/bots/${id}/participants`, { signal });
export const getBot = (id, signal) => json(`/bots/${id}`, { signal });
export const sendBot = body => json('/bots', { method: 'POST', body });
export const changeBot = (id, change) => json(`/bots/${id}`, { method: 'PATCH', body: change });
export const stopBot = id => json(`/bots/${id}/stop`, { method: 'POST' });
export const finalizeBot = id => json(`/bots/${id}/finalize`, { method: 'POST' });
export const deleteBot = id => request(`/bots/${id}`, { method: 'DELETE' });
export const getManifest = (id, signal) => json(`/bots/${id}/manifest`, { signal });
export const getTranscript = (id, signal) => json(`/bots/${id}/transcript`, { signal });
export const getTranscriptText = async (id, format, signal) => (await request(`/bots/${id}/transcript?format=${format}`, { signal })).text();
export const makeTranscript = id => json(`/bots/${id}/transcript`, { method: 'POST' });
export const canTranscribe = async signal => (await getAbout(signal)).transcripts;
export const getWaveform = (id, signal) => json(`/page/bots/${id}/waveform`, { signal });
export const getScreenshots = (id, signal) => json(`/page/bots/${id}/pictures`, { signal });
export const getScenarios = () => json('/page/scenarios');

/** A page of the docs as a document. Trusted Types forbid HTML from strings, so the browser parses the response itself. */
export const getDocument = (name, signal) => new Promise((resolve, reject) => {
  const loading = new XMLHttpRequest();
  loading.responseType = 'document';
  loading.onload = () => (loading.status === 200 ? resolve(loading.response) : reject(new Problem(loading.status)));
  loading.onerror = () => reject(new Problem(0, { detail: 'The manager is unreachable.' }));
  loading.onabort = () => reject(signal.reason);
  signal?.addEventListener('abort', () => loading.abort());
  loading.open('GET', `/page/docs/${name}`);
  loading.send();
});

export const followLog = (id, signal) => request(`/bots/${id}/logs?follow=true`, { signal });

export const getAbout = signal => json('/page/about', { signal });
export const listKeys = signal => json('/keys', { signal });
export const addKey = body => json('/keys', { method: 'POST', body });
export const revokeKey = id => request(`/keys/${id}`, { method: 'DELETE' });
export const listWebhooks = signal => json('/webhooks', { signal });
export const addWebhook = body => json('/webhooks', { method: 'POST', body });
export const deleteWebhook = id => request(`/webhooks/${id}`, { method: 'DELETE' });
export const testWebhook = id => json(`/webhooks/${id}/test`, { method: 'POST' });
export const replaceWebhookSecret = id => json(`/webhooks/${id}/secret`, { method: 'POST' });
export const listDeliveries = (id, signal) => json(`/webhooks/${id}/deliveries`, { signal });
export const redeliver = (id, delivery) => json(`/webhooks/${id}/deliveries/${delivery}/redeliver`, { method: 'POST' });

/** An unhealthy manager answers 503, with the same report. */
export async function getHealth(signal) {
  const response = await fetch('/health', { signal }).catch(error => {
    if (signal.aborted) throw error;
    throw new Problem(0, { detail: 'The manager is unreachable.' });
  });
  return response.json();
}

const beingConverted = 'urn:newarbots:problem:recording-being-converted';

/** Waits until the manager has converted a recording; this takes minutes for an hour of audio. */
export async function waitUntilConverted(address, signal) {
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

const reconnectDelay = 5000;

/**
 * Subscribes to server-sent events: one handler per event type, plus `open` and `error`. Reconnects until closed, also after a refusal.
 * A browser allows six connections per host across all tabs, so a hidden tab disconnects and reconnects once it is visible again.
 */
export function subscribe(path, handlers) {
  let source;
  let retry;
  const closed = new AbortController();
  document.addEventListener('visibilitychange', connectIfVisible, { signal: closed.signal });
  connectIfVisible();
  return {
    close() {
      closed.abort();
      disconnect();
    },
  };

  function connectIfVisible() {
    disconnect();
    if (!document.hidden) connect();
  }

  function disconnect() {
    clearTimeout(retry);
    source?.close();
  }

  function connect() {
    const own = source = new EventSource(path);
    for (const [type, handle] of Object.entries(handlers)) {
      own.addEventListener(type, event => handle(event.data === undefined ? undefined : JSON.parse(event.data), own));
    }
    own.addEventListener('error', () => {
      // An EventSource reconnects after a lost connection, but gives up after a response that is not an event stream.
      if (closed.signal.aborted || own !== source || own.readyState !== EventSource.CLOSED) return;
      retry = setTimeout(connect, reconnectDelay);
      // The refusal may mean that the session has expired; this request then shows the sign-in form.
      getSession().catch(() => {});
    });
  }
}
