// All rules: what each did in a day, and whether that was right.

import {api} from '../api.js';
import {h, icon} from '../dom.js';
import {keys} from '../keys.js';
import {empty, spark, table} from '../parts.js';
import {href, query, setQuery} from '../router.js';
import {fresh, mode, notice, onDisk, places, problems, redraw, reload, short, walk} from '../steer.js';
import {age, clock, until} from '../time.js';
import {number, percent, t} from '../words.js';

export const title = () => t('Rules');

export const path = (id) => '/rules/' + encodeURIComponent(id);

export const share = (s) => (s && s.right + s.wrong ? h('span', {title: t('{right} right, {wrong} wrong, as labelled', s)}, percent(s.right / (s.right + s.wrong)), h('span.quiet', ' ', t('of {n}', {n: s.right + s.wrong}))) : none());

const none = () => h('span.quiet.nil', '—');

const sum = (list) => (list || []).reduce((a, b) => a + b, 0);

const columns = (stats) => {
  const of = (r) => stats[r.id] || {};
  const count = (name, head) => ({head, class: 'num', cell: (r) => { const n = sum(of(r)[name]); return n ? number(n) : h('span.quiet.nil', '0'); }});
  return [
    {head: '#', class: 'num order', cell: (r) => r.order},
    {head: t('Rule'), class: 'grow', cell: (r) => [h('a.strong', {href: href(path(r.id)), data: {key: r.id}}, r.id), r.about ? h('p.quiet', r.about) : null]},
    {head: t('Mode'), cell: mode},
    {head: t('24 h'), class: 'spark-cell', cell: (r) => (sum(of(r).fired) ? spark(of(r).fired, {label: t('fired'), width: 96, height: 20}) : none())},
    count('fired', t('Fired')), count('near', t('Near')), count('suppressed', t('Suppressed')), count('shadow', t('Shadow')),
    {head: t('Right'), class: 'num', cell: (r) => share(of(r))},
    {head: t('Last fired'), cell: (r) => (r.last_fired ? age(r.last_fired) : none())},
    {head: t('Owner'), cell: (r) => r.owner || none()},
    {head: t('Until'), cell: (r) => (r.until ? until(r.until) : none())},
  ];
};

export async function render(root, params, signal) {
  const list = h('div.card.flush'), state = h('div.stack'), loaded = h('span.quiet');
  const search = h('input', {type: 'search', placeholder: t('Find a rule'), 'aria-label': t('Find a rule'), value: query().q || '', oninput: () => { setQuery({q: search.value}); draw(); }});
  let rules, stats;
  const draw = () => {
    const words = search.value.toLowerCase(), has = (r) => [r.id, r.about, r.owner].join(' ').toLowerCase().includes(words);
    const shown = rules.rules.map((r, i) => ({...r, order: i + 1})).filter(has);
    redraw(list, shown.length ? table(columns(stats.rules), shown, {caption: t('Rules')}) : empty(t('No rule has these words.')));
  };
  const load = async () => {
    [rules, stats] = await Promise.all([api.get('/api/rules', {signal}), api.get('/api/stats', {query: {since: '24h'}, signal})]);
    draw();
    redraw(loaded, t('{n} rules, version', {n: rules.rules.length}), ' ', h('a', {href: href('/history')}, short(rules.version)), ', ', t('in force since'), ' ', clock(rules.loaded_at), rules.mode === 'enforce' ? null : [' · ', mode(rules)]);
    if (state.dataset.shown === (rules.last_error || '')) return;
    state.dataset.shown = rules.last_error || '';
    redraw(state, rules.last_error ? await refusal(rules, signal) : null);
  };
  await fresh(15_000, load, signal);
  root.append(h('div.head', h('h1', title()), loaded, h('div.row.push', h('span.search', icon('search'), search), reload(load))), places('/rules'), state, list);
  keys(signal, [['/', () => t('Find a rule'), () => search.focus()]]);
  walk(list, 'a.strong', signal);
}

const failures = async (signal) => (await api.post('/api/test', {}, {signal})).tests.filter((r) => !r.ok).map((r) => ({...r, message: `${r.name}: ${r.message}`}));

// refusal says why the file on disk is not in force.
async function refusal(rules, signal) {
  const file = await onDisk(signal).catch(() => null), wrong = !file ? [] : file.problems.length ? file.problems : await failures(signal).catch(() => []);
  return notice('bad', h('b', t('The file on disk is refused; version {version} stays in force.', {version: short(rules.version)})), ' ', h('a', {href: href('/file')}, t('Fix the file')),
    wrong.length ? problems(wrong, file.files, file.main) : h('pre', rules.last_error));
}
