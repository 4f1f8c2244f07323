// What is around every view: the bar with the places and the state of the service, and the banner when it is not well.
//
//   frame()          draws it and keeps it fresh
//   service          what was read last: {rules, ready, desk, status}; each may be undefined
//   onService(f, signal)   calls f when it is read anew
//   refreshService()       reads it now, after something was changed

import {api} from './api.js';
import {fill, h, icon} from './dom.js';
import {help, keys} from './keys.js';
import {outcome} from './parts.js';
import {again, go, here, href} from './router.js';
import {every, span} from './time.js';
import {lang, setLang, t} from './words.js';

export const service = {};
const told = new EventTarget(), forever = new AbortController().signal;
export const onService = (f, signal) => told.addEventListener('read', f, {signal});

const places = [
  ['g l', '/', () => t('Live'), /^\/$/],
  ['g c', '/c', () => t('Conversation'), /^\/c/],
  ['g t', '/try', () => t('Try'), /^\/try/],
  ['g r', '/rules', () => t('Rules'), /^\/(rules|file|history|suggest)/],
  ['g d', '/delivery', () => t('Delivery'), /^\/delivery/],
];

const read = (p) => api.get(p, {within: 8000}).catch(() => undefined);

export async function refreshService() {
  const [ready, rules, desk, status] = await Promise.all([read('/readyz'), read('/api/rules'), read('/api/desk'), read('/api/status')]);
  Object.assign(service, {ready, rules, desk, status});
  drawState();
  told.dispatchEvent(new Event('read'));
}

const state = h('div.service'), nav = h('nav', {'aria-label': 'Escalator'}), tools = h('div.tools');

function drawNav() {
  const at = here();
  fill(nav, places.map(([, p, label, mine]) => h('a', {href: href(p), 'aria-current': mine.test(at) ? 'page' : null}, label())));
  const other = lang() === 'zh' ? ['EN, English', 'en', 'EN'] : ['中文', 'zh', '中'];
  const theme = window.escalatorTheme() || 'auto';
  const names = {auto: () => t('Colours: as the system'), light: () => t('Colours: light'), dark: () => t('Colours: dark')};
  const next = {auto: 'light', light: 'dark', dark: ''}[theme];
  fill(tools,
    h('button.tool', {type: 'button', lang: other[1], 'aria-label': other[0], title: other[0], onclick: async () => { await setLang(other[1], true); redraw(); again(); }}, other[2]),
    h('button.tool', {type: 'button', 'aria-label': names[theme](), title: names[theme](), onclick: () => { window.escalatorTheme(next); drawNav(); }}, icon({auto: 'auto', light: 'sun', dark: 'moon'}[theme])),
    h('button.tool.wide', {type: 'button', 'aria-label': t('Keyboard'), title: t('Keyboard') + ' (?)', onclick: help}, icon('keyboard')));
}

const readiness = {ready: ['good', () => t('ready')], degraded: ['warn', () => t('degraded')], unready: ['bad', () => t('not ready')]};

function drawState() {
  const {ready, rules, desk} = service;
  const [kind, words] = readiness[ready && ready.status] || ['bad', () => t('no answer')];
  const parts = [h('a', {href: href('/delivery')}, outcome(kind, words()))];
  if (rules) parts.push(h('a.wide', {href: href('/history'), title: rules.version}, t('rules {version}', {version: rules.version.slice(0, 7)})));
  const r = desk && desk.reading;
  if (r) {
    if (typeof r.free === 'number') parts.push(h('a', {href: href('/delivery')}, r.free === 1 ? t('1 agent free') : t('{n} agents free', {n: r.free})));
    if (typeof r.queue === 'number') parts.push(h('a', {href: href('/delivery')}, t('{n} waiting', {n: r.queue})));
  }
  if (rules && rules.last_error) parts.push(h('a', {href: href('/file')}, outcome('bad', t('rule file refused'))));
  fill(state, parts);
  drawBanner();
}

function drawBanner() {
  const {ready, status} = service, held = status && status.desk && status.desk.courier_held, lines = [];
  if (!ready) lines.push(t('Escalator does not answer. You see what was known before.'));
  if (held) lines.push(t('Desk refuses every transfer ({code}): {words}. {n} kept. Next try in {span}.', {code: held.code, words: held.words, n: status.store ? status.store.outbox_pending : '?', span: span(held.next_try_s)}));
  if (ready) lines.push(...(ready.reasons || []).filter((r) => !held || !r.includes(held.code)));
  const words = lines.join('\n'), banner = document.getElementById('banner');
  if (banner.dataset.words === words) return; // a live region says only what is new
  banner.dataset.words = words;
  banner.className = ready && ready.status !== 'unready' ? 'warn' : 'bad';
  fill(banner, lines.map((l) => h('p', icon('warn'), h('span', l))));
}

function redraw() {
  drawNav();
  drawState();
}

export function frame() {
  fill(document.getElementById('bar'),
    h('a.skip', {href: '#main', onclick: (e) => { e.preventDefault(); document.getElementById('main').focus(); }}, t('Skip to the content')),
    h('a.brand', {href: href('/'), 'aria-label': 'Escalator'}, h('svg', {viewBox: '0 0 16 16', 'aria-hidden': 'true'}, h('rect', {width: 16, height: 16, rx: 4}), h('path', {d: 'M3.5 12h3V9h3V6h3V4'})), h('b', 'Escalator')),
    nav, state, tools);
  drawNav();
  addEventListener('moved', drawNav);
  keys(forever, [
    ...places.map(([name, p, label]) => [name, label, () => go(href(p))]),
    ['?', () => t('this list'), help],
  ]);
  every(10_000, refreshService, forever);
}
