// One rule: its text, its words, what it did and just failed to do, its tests; and a mute for the night.

import {api, path as address} from '../api.js';
import {fill, h, icon} from '../dom.js';
import {refreshService} from '../frame.js';
import {askWho, author, button, empty, id, outcome, plain, say, segments, spark, table, toast} from '../parts.js';
import {href} from '../router.js';
import {fresh, mode, places, redraw, walk} from '../steer.js';
import {age, clock, clockText, span, until} from '../time.js';
import {number, t} from '../words.js';
import {share} from './rules.js';

export const title = ({id: rule}) => rule;

const sum = (list) => (list || []).reduce((a, b) => a + b, 0);
const results = {transfer: () => t('transfer'), offer: () => t('offer'), keep: () => t('keep'), closed: () => t('closed'), message: () => t('message'), asked: () => t('asked'), suppressed: () => t('suppressed'), shadow: () => t('shadow'), near: () => t('near'), none: () => t('none')};
const result = (d) => { const kind = d.outcome === 'none' && d.near ? 'near' : d.outcome; return outcome(kind, (results[kind] || (() => kind))()); };

const conversation = (d, words) => h('a.strong', {href: href('/c/' + encodeURIComponent(d.session), {at: d.id}), data: {key: d.id}}, words);

export function decisions(list, nothing) {
  if (!list || !list.length) return h('p.quiet', nothing);
  return table([
    {head: t('Time'), class: 'nowrap', cell: (d) => clock(d.at)},
    {head: t('Result'), cell: result},
    {head: t('Words'), class: 'grow', cell: (d) => [conversation(d, d.text || (d.matched || []).join(' · ') || t('Conversation')), d.why || d.reason ? h('p.quiet', d.why || d.reason) : null]},
    {head: t('Customer'), cell: (d) => id(d.user || d.session, 14)},
  ], list);
}

const figure = (label, list) => h('div.count', h('span.quiet', label), h('b', number(sum(list))), spark(list && list.length ? list : [0], {label, height: 24}));

function words(lists) {
  if (!lists || !lists.length) return h('p.quiet', t('It names no list and no pack: what it looks for stands in its text.'));
  return lists.map((l) => h('details', {open: lists.length === 1 && l.count <= 60},
    h('summary', h('b', l.name), ' ', l.pack ? h('span.tag', t('pack')) : null, h('span.quiet', t('{n} phrases', {n: number(l.count)}))),
    h('ul.phrases', l.phrases.map((p) => h('li', p))),
    l.count > l.phrases.length ? h('p.quiet', t('and {n} more', {n: number(l.count - l.phrases.length)})) : null));
}

const yaml = (r) => h('pre.code', {tabindex: 0, 'aria-label': t('The rule’s text')}, r.yaml.replace(/\n$/, '').split('\n').map((l, i) => h('span', {data: {line: r.line_from + i}}, l + '\n')));

const fact = (name, value) => (value ? [h('dt', name), h('dd', value)] : null);

export async function render(root, {id: rule}, signal) {
  let shown = '';
  const load = async () => {
    const r = await api.get(address`/api/rules/${rule}`, {signal});
    const now = JSON.stringify(r);
    if (now === shown || root.querySelector('details[open] summary:focus')) return;
    shown = now;
    const opened = [...root.querySelectorAll('details[open] summary b')].map((b) => b.textContent), y = scrollY;
    redraw(root, body(r, load));
    for (const b of root.querySelectorAll('summary b')) if (opened.includes(b.textContent)) b.closest('details').open = true;
    scrollTo(0, y);
  };
  await fresh(20_000, load, signal);
  walk(root, 'td a.strong', signal);
}

function body(r, load) {
  const s = r.stats || {};
  return [
    h('div.head', h('div.stack', h('h1', r.id), r.about ? h('p', r.about) : null), mode(r), h('div.row.push',
      h('a.button', {href: href('/file', {file: r.file, line: r.line_from}), data: {key: 'file'}}, t('Open in the file')),
      r.muted ? button(t('End the mute'), () => unmute(r, load), {kind: 'primary', key: 'mute'}) : button(t('Mute…'), () => mute(r, load), {icon: 'suppressed', key: 'mute'}))),
    places('/rules'),
    r.muted ? h('div.notice.warn', icon('suppressed'), h('div', t('Muted by {by} until {at}: {why}', {by: plain(r.muted.by), at: clockText(r.muted.until), why: r.muted.why}))) : null,
    h('div.card.counts', figure(t('Fired in 24 h'), s.fired), figure(t('Near in 24 h'), s.near), figure(t('Suppressed in 24 h'), s.suppressed), figure(t('Shadow in 24 h'), s.shadow),
      h('div.count', h('span.quiet', t('Right, as labelled')), h('b', share(s)))),
    h('div.columns', h('div.stack.wide',
      h('section.card.stack', h('div.head', h('h2', t('Text')), h('code.quiet', `${r.file || 'rules.yaml'}:${r.line_from}`)), yaml(r), h('dl.facts',
        fact(t('Does'), r.action + (r.to ? ' → ' + r.to : '')), fact(t('Cooldown'), r.cooldown ? span(r.cooldown) : ''), fact(t('Owner'), r.owner), fact(t('Share'), r.share),
        fact(t('From'), r.from && clock(r.from)), fact(t('Until'), r.until && until(r.until)), fact(t('Last fired'), r.last_fired && age(r.last_fired)))),
      h('section.card.stack', h('h2', t('Words')), words(r.lists)),
      h('section.card.stack', h('h2', t('Tests that name it')), r.tests && r.tests.length ? h('ul.bullets', r.tests.map((n) => h('li', n))) : empty(t('No test names this rule.'), t('A rule without a test is changed in the dark.')))),
    h('div.stack.wide',
      h('section.card.stack', h('h2', t('Last firings')), decisions(r.fired_last, t('It did not fire in what is kept.'))),
      h('section.card.stack', h('h2', t('Near misses')), decisions(r.near_last, t('Nothing came near in what is kept.'))))),
  ];
}

async function unmute(r, load) {
  await askWho({
    title: t('End the mute of {rule}', {rule: r.id}), confirm: t('{rule} decides again', {rule: r.id}), why: false, body: h('p', t('It was muted by {by}: {why}', {by: plain(r.muted.by), why: r.muted.why})),
    submit: async ({by}) => { await api.del(address`/api/rules/${r.id}/mute`, {query: {by}}); },
  }) && toast(t('{rule} decides again', {rule: r.id}));
  refreshService();
  await load();
}

const lengths = ['30m', '2h', '8h', '1d', '7d'];
const spoken = () => ({'30m': t('30 minutes'), '2h': t('2 hours'), '8h': t('8 hours'), '1d': t('1 day'), '7d': t('7 days')});

async function mute(r, load) {
  let time = '2h';
  const preview = h('div.stack.preview', {'aria-live': 'polite'}, h('p.quiet', t('Looking at the last hour…')));
  const sure = h('p', t('Until it ends, {rule} fires for nobody; what it would have done is still counted.', {rule: r.id}));
  api.get(address`/api/rules/${r.id}/preview`, {query: {for: '1h'}}).then((p) => fill(preview, without(p, r.id)), (e) => fill(preview, outcome('warn', say(e))));
  const muted = await askWho({
    title: t('Mute {rule}', {rule: r.id}), confirm: t('Mute {rule}', {rule: r.id}), danger: true, wide: true,
    body: [sure, h('div.field', h('span', t('For how long')), segments(t('For how long'), lengths.map((l) => ({value: l, label: spoken()[l]})), time, (l) => { time = l; })), preview],
    submit: ({by, why}) => api.post(address`/api/rules/${r.id}/mute`, {for: time, by, why}),
  });
  if (muted) toast(t('{rule} is muted.', {rule: r.id}), {action: [t('Undo'), async () => { await api.del(address`/api/rules/${r.id}/mute`, {query: {by: author()}}); await load(); }]});
  refreshService();
  await load();
}

// without says what the last hour would have been if the rule had been silent.
function without(p, rule) {
  if (!p.count) return h('p', t('In the last hour {rule} decided nothing: a mute would have changed nothing.', {rule}));
  const instead = Object.entries(p.without || {}).filter(([, n]) => n);
  return [
    h('h3', t('The last hour without it')),
    h('p', t('{n} decisions of {rule}. Without it:', {n: p.count, rule})),
    h('div.row', instead.map(([kind, n]) => outcome(kind, `${n} ${(results[kind] || (() => kind))()}`))),
    p.whole === false ? h('p.quiet', t('Not all of that hour could be replayed.')) : null,
    p.decisions && p.decisions.length ? h('details', h('summary', t('Which ones')), decisions(p.decisions.slice(0, 10), '')) : null,
  ];
}
