// The addresses. Every view has its own; filters stand in the query.
//
//   routes([{path: '/c/:session', view: () => import('./views/conversation.js')}])
//   href('/c/' + encodeURIComponent(id), {rule: 'x'})   the address of a view, for links
//   go(href, {replace})                                 shows it
//   query()                                             {name: value} of this address
//   setQuery({rule: 'x', q: ''})                        changes it without showing anything anew; '' takes a name away
//   again()                                             shows the view anew
//
// A view is a module with `title` (a function) and `render(root, params, signal)`; what it begins ends with the signal.
// Links to the console are followed here, and the place on a page is found again on the way back.

import {fill, h} from './dom.js';
import {t} from './words.js';
import {failed, loading} from './parts.js';
import {root} from './api.js';

const base = new URL('console', root).pathname;
let table = [], showing = new AbortController(), main, serial = 0;

export const href = (p, q) => {
  const s = new URLSearchParams(Object.entries(q || {}).filter(([, v]) => v !== '' && v !== undefined && v !== null)).toString();
  return base + p + (s ? '?' + s : '');
};
export const query = () => Object.fromEntries(new URLSearchParams(location.search));
export const here = () => location.pathname.slice(base.length) || '/';

export function setQuery(change) {
  history.replaceState(history.state, '', href(here(), {...query(), ...change}));
}

export function go(to, {replace} = {}) {
  if (to === location.pathname + location.search) return again();
  history.replaceState({...history.state, y: scrollY}, '');
  history[replace ? 'replaceState' : 'pushState']({}, '', to);
  return show(0);
}

export const again = () => show(scrollY);

// unescaped takes an address as it is that was cut in the middle of a character.
function unescaped(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

function find() {
  for (const r of table) {
    const m = new RegExp('^' + r.path.replace(/:(\w+)/g, '(?<$1>.+)') + '/?$').exec(here());
    if (m) return [r, Object.fromEntries(Object.entries(m.groups || {}).map(([k, v]) => [k, unescaped(v)]))];
  }
  return [];
}

async function show(y) {
  showing.abort();
  showing = new AbortController();
  const {signal} = showing, mine = ++serial;
  const [r, params] = find();
  dispatchEvent(new CustomEvent('moved'));
  const box = h('div.view');
  const wait = setTimeout(() => mine === serial && fill(main, loading()), 150);
  try {
    if (!r) throw new Error(t('There is no such page.'));
    const view = await r.view();
    if (mine !== serial) return;
    clearTimeout(wait);
    document.title = view.title(params) + ' · Escalator';
    fill(main, box);
    main.focus({preventScroll: true});
    await view.render(box, params, signal);
  } catch (e) {
    if (mine === serial && e.name !== 'AbortError' && e.status !== 401) fill(main, failed(e, again)); // who is refused signs in (main.js)
  }
  clearTimeout(wait);
  if (mine === serial) scrollTo(0, y || 0);
}

export function routes(list, into) {
  [table, main] = [list, into];
  history.scrollRestoration = 'manual';
  addEventListener('popstate', () => show(history.state && history.state.y));
  document.addEventListener('click', (e) => {
    const a = e.target.closest('a[href]');
    if (!a || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.defaultPrevented || a.target || a.hasAttribute('download')) return;
    const u = new URL(a.href);
    if (u.origin !== location.origin || !u.pathname.startsWith(base + '/') || u.pathname.startsWith(base + '/assets/')) return;
    e.preventDefault();
    go(u.pathname + u.search);
  });
  return show(0);
}
