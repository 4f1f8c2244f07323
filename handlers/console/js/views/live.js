// Live: what is happening now. Three figures of the last hour, then decisions as they are made, newest first.
//
// What arrives while somebody reads (paused, scrolled, a line chosen, the pointer over the list) waits behind a button, so that
// nothing moves under the eyes. The list is kept when another view is shown, and goes on where it was.

import {api, stream} from '../api.js';
import {fill, h, icon} from '../dom.js';
import {onService, service} from '../frame.js';
import {keys} from '../keys.js';
import {virtual} from '../list.js';
import {button, chips, empty, failed, id, loading, outcome, say, spark, toast} from '../parts.js';
import {go, href, query, setQuery} from '../router.js';
import {clockText, every, whole} from '../time.js';
import {attempt, kind, kinds, kindWords, reason, said, setLabel} from '../told.js';
import {number, percent, t} from '../words.js';

export const title = () => t('Live');

const page = 200, most = 5000, settle = 250;
const filters = ['outcome', 'rule', 'q', 'user', 'session', 'reason', 'since', 'label'];
let kept = {query: null};

const asked = () => Object.fromEntries(Object.entries(query()).filter(([name]) => filters.includes(name)));

export function render(root, params, signal) {
  const v = {signal, chosen: null, paused: false, touched: 0, arrived: [], changes: new Map(), live: null};
  if (kept.query !== JSON.stringify(asked())) kept = {query: JSON.stringify(asked()), rows: [], byId: new Map(), more: true, loaded: false};
  v.rows = kept.rows;
  v.byId = kept.byId;
  v.box = h('div.decisions', {role: 'list', 'aria-label': t('Decisions'), onpointermove: (e) => { if (e.pointerType === 'mouse') v.touched = Date.now(); }, onpointerleave: () => { v.touched = 0; }});
  v.state = h('div');
  v.fresh = h('div.fresh', {'aria-live': 'off'});
  v.heard = h('div.offscreen', {'aria-live': 'polite'});
  root.append(h('h1.offscreen', title()), figures(signal), tools(v), v.heard, h('section', {'aria-label': t('Decisions')}, v.fresh, v.box, v.state));
  v.list = virtual(v.box, {rows: v.rows, key: (d) => d.id, draw: (d) => line(v, d), end: () => older(v), signal});
  shortcuts(v);
  const timer = setInterval(() => settled(v), settle);
  signal.addEventListener('abort', () => clearInterval(timer));
  return kept.loaded ? follow(v) : load(v).then(() => follow(v));
}

// Figures

function figures(signal) {
  const box = h('section.hour', {'aria-label': t('The last hour')});
  const draw = async () => {
    const s = await api.get('/api/stats', {query: {since: '1h'}, signal}).catch(() => null);
    box.hidden = !s;
    if (s) fill(box, shown(s));
  };
  fill(box, [1, 2, 3].map(() => h('div.card.figure', h('span.quiet', ' '), h('b', ' '), h('div.spark'))));
  every(10_000, draw, signal);
  return box;
}

function shown(s) {
  const sums = Object.values(s.totals.rules || {}), right = sums.reduce((n, r) => n + (r.right || 0), 0), wrong = sums.reduce((n, r) => n + (r.wrong || 0), 0);
  const calls = s.totals.decisions.transfer || 0, messages = s.totals.messages;
  return [
    figure(t('Messages'), number(messages), messages >= 6 ? t('{n} a minute', {n: (messages / 60).toFixed(messages < 600 ? 1 : 0)}) : '', s.messages),
    figure(t('Transfers'), number(calls), messages ? t('{share} of messages', {share: percent(calls / messages)}) : '', s.decisions.transfer || []),
    figure(t('Unneeded transfers'), right + wrong ? percent(wrong / (right + wrong)) : '—', right + wrong ? t('{n} of {of} labelled', {n: number(wrong), of: number(right + wrong)}) : t('no labels yet'), s.wrong || []),
  ];
}

const figure = (label, value, more, values) => h('div.card.figure', h('span.quiet', label, h('span.wide', ' · ', t('last hour'))), h('b', value, ' ', h('span.quiet', more)), spark(values, {label}));

// Filters

function tools(v) {
  const now = asked(), chosen = new Set((now.outcome || '').split(',').filter(Boolean));
  const change = (names) => { setQuery(names); restart(v); };
  let typing;
  v.search = h('input', {type: 'search', value: now.q || '', placeholder: t('Filter by words, user, session'), 'aria-label': t('Filter by words, user, session'), oninput: (e) => {
    clearTimeout(typing);
    typing = setTimeout(() => v.signal.aborted || change({q: e.target.value.trim()}), 250);
  }});
  const rule = h('select', {'aria-label': t('Rule'), onchange: (e) => change({rule: e.target.value})});
  const drawRules = () => {
    const ids = ((service.rules && service.rules.rules) || []).map((r) => r.id);
    if (now.rule && !ids.includes(now.rule)) ids.unshift(now.rule);
    if (rule.options.length !== ids.length + 1) fill(rule, h('option', {value: ''}, t('All rules')), ids.map((r) => h('option', {value: r}, r))).value = query().rule || '';
  };
  drawRules();
  onService(drawRules, v.signal);
  const others = filters.slice(3).filter((name) => now[name]);
  v.pause = h('button.button', {type: 'button', onclick: () => pause(v)});
  v.connection = h('span', {role: 'status'});
  drawPause(v);
  return h('div.stack', h('div.row.filters',
    h('span.search', icon('search'), v.search), rule,
    chips(kinds.map((k) => ({name: k, label: kindWords(k), kind: k})), chosen, (set) => change({outcome: kinds.filter((k) => set.has(k)).join(',')})),
    others.map((name) => h('button.chip', {type: 'button', 'aria-pressed': 'true', 'aria-label': t('Remove filter {filter}', {filter: `${name} ${now[name]}`}), onclick: () => go(href('/', {...query(), [name]: ''}))}, `${name}: ${now[name]}`, icon('cross'))),
    h('span.push.row', v.connection, announce(), v.pause)));
}

const loud = () => { try { return localStorage.getItem('escalator.announce') === '1'; } catch { return false; } };

function announce() {
  const b = h('button.tool', {type: 'button', 'aria-pressed': String(loud()), title: t('Announce transfers to screen readers'), 'aria-label': t('Announce transfers to screen readers'), onclick: () => {
    try { localStorage.setItem('escalator.announce', loud() ? '0' : '1'); } catch { /* not kept */ }
    b.setAttribute('aria-pressed', String(loud()));
  }}, icon('sound'));
  return b;
}

function pause(v) {
  v.paused = !v.paused;
  if (!v.paused) release(v, true);
  drawPause(v);
}

const drawPause = (v) => fill(v.pause, icon(v.paused ? 'play' : 'pause'), v.paused ? t('Continue') : t('Pause'));

// restart shows other decisions: the filters have changed.
function restart(v) {
  kept = {query: JSON.stringify(asked()), rows: v.rows, byId: v.byId, more: true, loaded: false};
  v.rows.length = 0;
  v.byId.clear();
  v.arrived = [];
  v.chosen = null;
  v.list.update();
  drawFresh(v);
  load(v).then(() => follow(v));
}

// Reading

async function load(v) {
  const mine = v.loading = {};
  if (!v.rows.length) fill(v.state, loading());
  try {
    const got = await api.get('/api/decisions', {query: {...asked(), n: page}, signal: v.signal});
    if (v.loading !== mine) return;
    v.rows.length = 0;
    v.byId.clear();
    for (const d of got.decisions) take(v, d);
    Object.assign(kept, {more: got.more, loaded: true, count: got.kept});
    drawState(v);
  } catch (e) {
    if (v.loading === mine && e.name !== 'AbortError') fill(v.state, failed(e, () => load(v).then(() => follow(v))));
  }
  v.list.update();
}

async function older(v) {
  if (!kept.more || kept.busy || !kept.loaded || !v.rows.length) return;
  const of = kept;
  of.busy = true;
  try {
    const got = await api.get('/api/decisions', {query: {...asked(), n: page, before: v.rows.at(-1).id}, signal: v.signal});
    if (of === kept) {
      for (const d of got.decisions) take(v, d);
      of.more = got.more && got.decisions.length > 0;
      drawState(v);
      v.list.update();
    }
  } catch (e) {
    if (e.name !== 'AbortError') { of.more = false; toast(say(e), {kind: 'bad'}); }
  }
  of.busy = false;
}

function take(v, d) {
  if (v.byId.has(d.id)) return;
  v.byId.set(d.id, Object.assign(d, v.changes.get(d.id)));
  v.rows.push(d);
}

function follow(v) {
  if (v.signal.aborted) return;
  if (v.live) v.live.abort();
  const live = v.live = new AbortController();
  v.signal.addEventListener('abort', () => live.abort());
  stream('/api/decisions', {
    query: asked(), signal: live.signal, lastId: () => (v.arrived.at(-1) || v.rows[0] || {}).id,
    state: (up, why) => {
      if (up) refresh(v, live.signal);
      fill(v.connection, up ? null : outcome('warn', why && why.body ? say(why) : t('reconnecting…')));
    },
    on: {
      decision: (d) => { if (!v.byId.has(d.id)) v.arrived.push(Object.assign(d, v.changes.get(d.id))); },
      transfer: (e) => amend(v, e.id, {transfer: e.transfer}),
      label: (e) => amend(v, e.id, {label: e.label}),
      gap: () => { v.arrived = []; load(v); },
    },
  });
}

// refresh reads what changed of decisions that are listed while no stream was open: it tells of new ones only.
async function refresh(v, signal) {
  const got = await api.get('/api/decisions', {query: {...asked(), n: page}, signal}).catch(() => null);
  if (!got || signal.aborted) return;
  if (!v.rows.length) {
    for (const d of got.decisions) take(v, d);
    drawState(v);
    v.list.update();
    return;
  }
  for (const d of got.decisions) {
    const mine = v.byId.get(d.id);
    if (!mine) continue;
    Object.assign(mine, d, v.changes.get(d.id));
    v.list.renew(mine);
  }
}

function amend(v, of, change) {
  v.changes.set(of, {...v.changes.get(of), ...change}); // the answer to a request may be older
  if (v.changes.size > 1000) v.changes.delete(v.changes.keys().next().value);
  const d = v.byId.get(of) || v.arrived.find((a) => a.id === of);
  if (!d) return;
  Object.assign(d, change);
  v.list.renew(d);
}

const holds = (v) => v.paused || v.chosen !== null || scrollY > 160 || Date.now() - v.touched < 3000;

function settled(v) {
  if (v.arrived.length && !holds(v)) release(v);
  drawFresh(v);
}

function release(v, top) {
  if (top) { v.chosen = null; scrollTo(0, 0); }
  const fresh = v.arrived;
  v.arrived = [];
  const known = fresh.filter((d) => !v.byId.has(d.id));
  for (const d of known) v.byId.set(d.id, d);
  v.rows.unshift(...known.reverse());
  if (v.rows.length > most) {
    for (const d of v.rows.splice(most)) v.byId.delete(d.id);
    kept.more = true;
  }
  if (known.length) {
    drawState(v);
    if (loud()) v.heard.textContent = known.filter((d) => d.outcome === 'transfer').slice(0, 3).map((d) => `${kindWords('transfer')}: ${d.rule} ${d.text || ''}`).join('. ');
  }
  v.list.update();
  drawFresh(v);
}

function drawFresh(v) {
  const n = v.arrived.length;
  if (v.fresh.dataset.n === String(n)) return;
  v.fresh.dataset.n = n;
  fill(v.fresh, n ? h('button.button.primary', {type: 'button', onclick: () => { v.paused = false; drawPause(v); release(v, true); }}, icon('up'), n > 999 ? t('999+ new') : t('{n} new', {n})) : null);
}

function drawState(v) {
  if (v.rows.length) {
    fill(v.state, kept.more ? loading() : h('p.quiet.end', t('That is everything that is kept.')));
    return;
  }
  const only = asked().outcome, try1 = h('a', {href: href('/try', {text: '转人工'})}, t('Try one'));
  if (Object.keys(asked()).length === 0) fill(v.state, empty(t('No decision yet'), t('Decisions show up here as soon as customers write.'), ' ', try1));
  else fill(v.state, empty(only && only.indexOf(',') < 0 ? t('No decision of this kind: {kind}', {kind: kindWords(only)}) : t('No decision matches these filters'), button(t('All decisions'), () => go(href('/'))), ' ', try1));
}

// One line

function line(v, d) {
  const k = kind(d), rule = d.rule || d.near || (d.shadow || [])[0] || '—';
  return h('div.decision', {class: v.chosen === d.id ? 'chosen' : ''},
    h('time.quiet', {datetime: d.at, title: whole(d.at)}, clockText(d.at)),
    outcome(k, kindWords(k)),
    h('span.rule.clip', {title: [rule, d.reason, d.target].filter(Boolean).join(' · ')}, rule, d.reason && k !== 'transfer' ? h('span.quiet', ' · ', reason(d.reason)) : null, d.target && (k === 'transfer' || k === 'offer' || k === 'shadow') ? h('span.quiet', ' → ', d.target) : null),
    h('a.words.clip', {href: href('/c/' + encodeURIComponent(d.session), {at: d.at}), title: d.text || d.why}, said(d)),
    d.user ? id(d.user, 16) : h('span'),
    h('span.result', attempt(d.transfer)),
    h('span.label', mark(v, d, 'right', 'check', t('Right')), mark(v, d, 'wrong', 'cross', t('Wrong'))));
}

const mark = (v, d, label, picture, words) => h('button.mark', {type: 'button', class: label, 'aria-pressed': String(d.label === label), 'aria-label': words, title: words + (label === 'right' ? ' (r)' : ' (w)'), onclick: () => relabel(v, d, label)}, icon(picture));

const relabel = (v, d, label) => setLabel(d, d.label === label ? '' : label, () => v.list.renew(d)).catch((e) => toast(say(e), {kind: 'bad'}));

// Keys

function choose(v, step) {
  const at = v.rows.findIndex((d) => d.id === v.chosen), next = Math.max(0, Math.min(v.rows.length - 1, at < 0 ? 0 : at + step)), before = v.rows[at];
  if (!v.rows.length) return;
  v.chosen = v.rows[next].id;
  v.list.show(next);
  if (before) v.list.renew(before);
  v.list.renew(v.rows[next]);
  v.box.querySelector('.chosen a')?.focus({preventScroll: true});
}

function shortcuts(v) {
  const chosen = () => v.byId.get(v.chosen);
  keys(v.signal, [
    ['j', () => t('next line'), () => choose(v, 1)],
    ['k', () => t('line before'), () => choose(v, -1)],
    ['Enter', () => t('open the conversation'), () => chosen() && go(href('/c/' + encodeURIComponent(chosen().session), {at: chosen().at}))],
    ['r', () => t('label right'), () => chosen() && relabel(v, chosen(), 'right')],
    ['w', () => t('label wrong'), () => chosen() && relabel(v, chosen(), 'wrong')],
    [' ', () => t('pause, continue'), () => pause(v)],
    ['/', () => t('filter'), () => v.search.select()],
    ['Escape', () => t('back to the newest'), () => { const d = chosen(); v.chosen = null; if (d) v.list.renew(d); document.activeElement.blur(); }],
  ]);
}
