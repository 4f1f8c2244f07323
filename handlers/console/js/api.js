// The service's API.
//
//   await api.get('/api/rules', {query: {n: 5}, signal})      → what JSON says
//   await api.post('/api/explain', body, {signal})            put and del likewise; headers: {'If-Match': …}
//   path`/api/rules/${id}/mute`                               ids are escaped, slashes in them too, and what begins like a
//                                                             name of the API: /api/rules/history is not the rule history
//
// What goes wrong is thrown as a Failure: status (0: nobody answered in time; 200: it was no answer of the service), message
// (the service's own words), body (the JSON of the answer, with its problems). A reading waits for within ms, 30 s by default. A 401 also shows the sign-in view: whoever is told so need not care.
//
//   stream('/api/decisions', {query, lastId, signal, on: {decision(data, id), gap()}, state(live, failure)})
//
// reads server-sent events until the signal ends, with Last-Event-ID in every new connection, so that nothing is missed;
// lastId() names what is known before the first event.
// It reads with fetch and not EventSource, which forgets the last id when it gives up, and tells no status.

export const root = new URL('../../../../', import.meta.url); // js / hash / assets / console

export class Failure extends Error {
  constructor(status, message, body) {
    super(message);
    Object.assign(this, {status, body});
  }
}

const escaped = (id) => encodeURIComponent(id).replace(/^\w/, (c) => '%' + c.charCodeAt(0).toString(16));
export const path = (parts, ...ids) => parts.reduce((all, p, i) => all + escaped(ids[i - 1]) + p);

function address(p, query) {
  const u = new URL(p.replace(/^\//, ''), root);
  for (const [k, v] of Object.entries(query || {})) if (v !== undefined && v !== null && v !== '') u.searchParams.set(k, v);
  return u;
}

const common = () => ({Accept: 'application/json', 'Accept-Language': document.documentElement.lang});

async function refusal(response, p) {
  const body = await response.json().catch(() => null);
  if (response.status === 401 && p !== '/api/session') dispatchEvent(new CustomEvent('signin'));
  return new Failure(response.status, (body && body.error) || `HTTP ${response.status}`, body);
}

const patience = (signal, ms) => (AbortSignal.any ? AbortSignal.any([AbortSignal.timeout(ms), signal].filter(Boolean)) : signal);

async function call(method, p, body, {query, headers, signal, within = 30_000} = {}) {
  const init = {method, signal: method === 'GET' ? patience(signal, within) : signal, headers: {...common(), ...headers}};
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers['Content-Type'] = 'application/json';
  }
  let response;
  try {
    response = await fetch(address(p, query), init);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Failure(0, '');
  }
  if (!response.ok && !(p === '/readyz' && response.status === 503)) throw await refusal(response, p);
  try {
    return await response.json();
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Failure(e.name === 'SyntaxError' ? 200 : 0, '');
  }
}

export const api = {
  get: (p, options) => call('GET', p, undefined, options),
  post: (p, body, options) => call('POST', p, body, options),
  put: (p, body, options) => call('PUT', p, body, options),
  del: (p, options) => call('DELETE', p, undefined, options),
};

const silence = 45_000; // three pings of the service: the connection is dead, whatever the browser thinks

export async function stream(p, {query, lastId, on, state, signal}) {
  const watch = {last: '', failed: 0};
  while (!signal.aborted) {
    let why = null;
    const cut = new AbortController();
    const end = () => cut.abort();
    signal.addEventListener('abort', end, {once: true});
    let idle = setTimeout(end, silence);
    const alive = () => { clearTimeout(idle); idle = setTimeout(end, silence); };
    try {
      const headers = {...common(), Accept: 'text/event-stream'};
      const last = watch.last || (lastId && lastId());
      if (last) headers['Last-Event-ID'] = last;
      const response = await fetch(address(p, {...query, stream: 1}), {headers, signal: cut.signal, cache: 'no-store'});
      if (!response.ok) throw await refusal(response, p);
      watch.failed = 0;
      state(true); // the service tells of all that happens from here on
      await read(response.body.getReader(), watch, on, alive);
    } catch (e) {
      if (e.status === 401) { clearTimeout(idle); return; }
      watch.failed++;
      why = e;
    }
    clearTimeout(idle);
    signal.removeEventListener('abort', end);
    if (signal.aborted) return;
    state(false, why);
    await new Promise((done) => setTimeout(done, Math.min(10_000, 400 * 2 ** Math.min(watch.failed, 6)) * (0.8 + 0.4 * Math.random())));
  }
}

async function read(reader, watch, on, alive) {
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + decoder.decode(value, {stream: true})).split('\n\n');
    rest = blocks.pop();
    for (const b of blocks) event(b, watch, on);
  }
}

function event(block, watch, on) {
  let name = 'message', data = '', id = '';
  for (const line of block.split('\n')) {
    const [, field, value] = /^(\w*): ?(.*)$/.exec(line) || [];
    if (field === 'event') name = value;
    else if (field === 'data') data += value;
    else if (field === 'id') id = value;
  }
  if (id) watch.last = id;
  if (data && on[name]) on[name](JSON.parse(data), id);
}
