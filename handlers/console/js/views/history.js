// Versions of the rules: who put them in force and why, what differs, and the way back.

import {api} from '../api.js';
import {fill, h} from '../dom.js';
import {refreshService, service} from '../frame.js';
import {askWho, button, dialog, empty, failed, id, outcome, plain, segments, table, toast} from '../parts.js';
import {changes, fresh, notice, places, redraw, reload, short, tests, tokenNeeded, unified} from '../steer.js';
import {age, clock} from '../time.js';
import {number, t} from '../words.js';

export const title = () => t('History of the rules');

const how = {start: () => t('at a start'), reload: () => t('from the file'), rollback: () => t('rolled back'), console: () => t('saved in the console'), api: () => t('saved over the API')};

const diff = (from, to) => api.get('/api/rules/diff', {query: {from, to}});

export async function render(root, params, signal) {
  const list = h('div.card.flush'), why = h('div');
  let shown = '';
  const load = async () => {
    const [h_, rules] = await Promise.all([api.get('/api/rules/history', {signal}), api.get('/api/rules', {signal})]), key = JSON.stringify([h_, rules.last_error]) + tokenNeeded();
    if (key === shown) return;
    shown = key;
    fill(why, tokenNeeded() ? notice('warn', tokenNeeded()) : null);
    redraw(list, h_.versions.length ? versions(h_, rules.last_error, load) : empty(t('No version is kept.'), t('They are kept in the data folder.')));
  };
  await fresh(15_000, load, signal);
  root.append(h('div.head', h('h1', title()), h('div.row.push', reload(load))), places('/history'), why, list);
}

function versions({in_force: now, versions: all}, refused, load) {
  return table([
    {head: t('Version'), cell: (v) => [id(v.version, 12), v === all.find((x) => x.version === now) ? h('div', outcome('good', t('in force'))) : null]},
    {head: t('Since'), class: 'nowrap', cell: (v) => [clock(v.at), h('p.quiet', age(v.at))]},
    {head: t('Who'), cell: (v) => [plain(v.by || '—'), h('p.quiet', (how[v.author] || (() => v.author))(), v.address ? ' · ' + v.address : '')]},
    {head: t('Reason'), class: 'grow', cell: (v) => v.why || '—'},
    {head: t('Size'), class: 'num', cell: (v) => t('{n} kB', {n: number(Math.ceil(v.bytes / 1000))})},
    {head: t('Actions'), class: 'actions-cell', cell: (v) => h('div.row', button(t('What it changed'), () => compare(v, before(all, v), now)), v.version === now && !refused ? null : back(v, now, load))},
  ], all, {caption: title()});
}

const before = (all, v) => (all[all.indexOf(v) + 1] || {}).version;

function back(v, now, load) {
  const b = button(t('Roll back…'), () => rollBack(v, now, load), {title: tokenNeeded()});
  b.disabled = Boolean(tokenNeeded());
  return b;
}

const difference = (d) => [d.refused ? notice('bad', d.refused) : null, changes(d.change), d.change ? tests(d.change) : null, d.diff ? unified(d.diff) : h('p.quiet', t('Nothing differs.'))];

async function compare(v, last, now) {
  const box = h('div.stack');
  const show = async (from, to) => fill(box, await diff(from, to).then(difference, (e) => failed(e, () => show(from, to))));
  const options = [last && {value: 'last', label: t('against the one before')}, v.version !== now && {value: 'now', label: t('against the rules in force')}].filter(Boolean);
  const pick = (o) => (o === 'last' ? show(last, v.version) : show(v.version, now));
  if (options.length) await pick(options[0].value);
  else fill(box, h('p', t('It is the oldest version that is kept.')));
  dialog({title: t('Version {version}', {version: short(v.version)}), wide: true, cancel: t('Close'), body: [options.length > 1 ? segments(t('Compare'), options, options[0].value, pick) : null, box]});
}

async function rollBack(v, now, load) {
  const d = v.version === now ? {} : await diff(now, v.version), version = short(v.version);
  const done = await askWho({
    title: t('Roll back to {version}', {version}), confirm: t('Write {version} back and put it in force', {version}), danger: true, wide: true,
    body: v.version === now ? h('p', t('The files on disk, which were refused, are replaced by those of the version in force.')) : [h('p', t('The files on disk are replaced by those of this version. What changes:')), difference(d)],
    submit: ({by, why}) => api.post('/api/rules/rollback', {version: v.version, by, why}),
  });
  if (done) toast(t('In force: {version}', {version}));
  refreshService();
  await load();
}
