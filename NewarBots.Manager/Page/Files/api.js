// Every word between the page and the manager goes through here: what all requests need, such as a key, is added in one place.

export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? body?.title ?? `The manager answered ${status}.`);
    this.status = status;
    this.errors = body?.errors ?? {};
    this.botId = body?.botId;
  }
}

const staleListeners = new Set();

/** Calls back with whether what the manager answers is old, because its store is away. */
export const onStale = listener => staleListeners.add(listener);

export async function request(path, { method = 'GET', body, signal } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
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
  if (!response.ok) {
    const isJson = response.headers.get('Content-Type')?.includes('json');
    throw new Problem(response.status, isJson ? await response.json() : undefined);
  }
  return response;
}

const json = async (path, options) => (await request(path, options)).json();

export const listBots = (query, signal) => json(`/bots?${new URLSearchParams(query)}`, { signal });
export const getBot = (id, signal) => json(`/bots/${id}`, { signal });
export const startBot = body => json('/bots', { method: 'POST', body });
export const stopBot = id => json(`/bots/${id}/stop`, { method: 'POST' });
export const deleteBot = id => request(`/bots/${id}`, { method: 'DELETE' });
export const getManifest = (id, signal) => json(`/bots/${id}/manifest`, { signal });
export const getWaveform = (id, signal) => json(`/page/bots/${id}/waveform`, { signal });
export const getPictures = (id, signal) => json(`/page/bots/${id}/pictures`, { signal });
export const getScenarios = () => json('/page/scenarios');
export const followLog = (id, signal) => request(`/bots/${id}/logs?follow=true`, { signal });

/** Server-sent events: handlers by event type, with open and error beside them. */
export function events(path, handlers) {
  const source = new EventSource(path);
  for (const [type, handle] of Object.entries(handlers)) {
    source.addEventListener(type, event => handle(event.data === undefined ? undefined : JSON.parse(event.data), source));
  }
  return source;
}
