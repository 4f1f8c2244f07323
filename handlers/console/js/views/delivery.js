// What is stuck, who is there, and whether the service is well.

import {api, path as address} from '../api.js';
import {h} from '../dom.js';
import {refreshService} from '../frame.js';
import {askWho, button, id, outcome, plain, say, table, toast} from '../parts.js';
import {again, href} from '../router.js';
import {fresh, notice, redraw, tokenNeeded, walk} from '../steer.js';
import {age, clock, clockText, lasting, span, until} from '../time.js';
import {number, t} from '../words.js';

export const title = () => t('Desk and delivery');

const settle = (p) => p.catch((e) => ({failed: e}));

export async function render(root, params, signal) {
  const boxes = {given: h('section.card.stack'), held: h('div'), under: h('section.card.stack'), desk: h('section.card.stack'), left: h('section.card.stack'), health: h('div.stack.wide')};
  const load = async () => {
    const get = (p) => settle(api.get(p, {signal}));
    const [outbox, desk, status, messages, rules] = await Promise.all([get('/api/outbox'), get('/api/desk'), get('/api/status'), get('/api/messages'), get('/api/rules')]);
    if (signal.aborted) return;
    if (outbox.failed && desk.failed) throw outbox.failed;
    draw(boxes.given, outbox, () => givenUp(outbox, status, load));
    const held = status.desk && status.desk.courier_held;
    draw(boxes.held, {held}, () => (held ? hold(held) : null));
    draw(boxes.under, {...outbox, held: Boolean(held)}, () => underWay(outbox, held, load));
    draw(boxes.desk, desk, () => people(desk));
    draw(boxes.left, messages, () => wordsLeft(messages, load));
    draw(boxes.health, {...status, rules: rules.version}, () => health(status, rules));
  };
  await fresh(5_000, load, signal);
  root.append(h('div.head', h('h1', title())), h('div.columns.delivery', h('div.stack.wide', boxes.given, boxes.held, boxes.under, boxes.left), h('div.stack.wide', boxes.desk, boxes.health)));
  walk(root, 'td a.strong', signal);
}

// draw leaves alone what says the same, so that nothing is taken from under the mouse.
function draw(box, of, content) {
  const key = JSON.stringify(of, (name, value) => (['uptime_s', 'age_s', 'watchers', 'last_call_at'].includes(name) ? undefined : value));
  if (box.dataset.key_ === key || box.querySelector('details[open] summary:focus')) return;
  const open = [...box.querySelectorAll('details[open] summary')].map((s) => s.textContent);
  box.dataset.key_ = key;
  redraw(box, of.failed ? outcome('bad', say(of.failed)) : content());
  for (const s of box.querySelectorAll('summary')) if (open.includes(s.textContent)) s.parentElement.open = true;
}

// told are Desk's code and what it means.
const told = (x) => (x.code || x.error ? [x.code ? h('code', String(x.code)) : null, x.code && (x.code_words || x.error) ? ' ' : null, x.code_words || (x.code === 'network' ? t('Desk did not answer') : x.error)] : '—');

const transfer = () => [
  {head: t('Session'), class: 'grow', cell: (x) => [h('a.strong', {href: href('/c/' + encodeURIComponent(x.id)), data: {key: 'open ' + x.id}}, plain(x.user || x.id)), h('p.quiet', id(x.id, 24))]},
  {head: t('Rule'), class: 'rule-cell', cell: (x) => [h('a', {href: href('/rules/' + encodeURIComponent(x.rule))}, x.rule), h('p.quiet', '→ ' + x.target)]},
];

// When Desk is away for long, thousands wait: the page shows the first ones, and how many there are.
const most = 200;
const first = (all) => all.slice(0, most);
const more = (all) => (all.length > most ? h('p.quiet', t('and {n} more', {n: number(all.length - most)})) : null);

const codeOf = (x) => String(x.code || '0');

function givenUp({given_up: all}, status, load) {
  const codes = [...new Set(all.map(codeOf))].map((code) => ({code, list: all.filter((x) => codeOf(x) === code)}));
  return [
    h('div.head', h('h2', t('Given up')), h('span.quiet', number(all.length))),
    all.length ? null : h('p.quiet', t('No transfer was given up.')),
    codes.filter((c) => c.list.length > 1).map(({code, list}) => h('div.row.between', h('span', told(list[0]), ' ', h('span.quiet', t('{n} transfers', {n: list.length}))), button(t('Retry all {n} of {code}', {n: list.length, code}), () => retryAll(code, list.length, load), {icon: 'retry'}))),
    all.length ? table([...transfer(),
      {head: t('Why'), class: 'grow', cell: (x) => h('span', told(x))},
      {head: t('Since'), class: 'nowrap', cell: (x) => [age(x.since), h('p.quiet', t('calls: {n}', {n: x.attempt}))]},
      {head: t('Actions'), class: 'actions-cell', cell: (x) => h('div.row', retry(x, load), dismiss(x, load))}], first(all), {caption: t('Given up')}) : null,
    more(all),
  ];
}

const hold = (held) => notice('warn', h('b', t('Desk refuses every transfer.')), ' ', h('code', String(held.code)), ' ', held.words, h('p', t('Transfers are kept, and sent once this is fixed. Held since'), ' ', clock(held.since), '. ', t('Next try in {span}.', {span: span(held.next_try_s)})));

function underWay({pending: all}, held, load) {
  return [
    h('div.head', h('h2', t('Under way')), h('span.quiet', number(all.length))),
    all.length ? table([...transfer(),
      {head: t('State'), cell: (x) => stateOf(x, held)},
      {head: t('Last word'), class: 'grow', cell: (x) => h('span', told(x))},
      {head: t('Since'), class: 'nowrap', cell: (x) => age(x.since)},
      {head: t('Next try'), class: 'nowrap', cell: (x) => (held ? '—' : until(x.due))},
      {head: t('Actions'), class: 'actions-cell', cell: (x) => dismiss(x, load)}], first(all), {caption: t('Under way')}) : h('p.quiet', t('Every transfer has arrived.')),
    more(all),
  ];
}

const stateOf = (x, held) => (x.state === 'waiting' ? outcome('waiting', t('waits for an agent')) : held ? outcome('warn', t('held')) : outcome('transfer', x.attempt ? t('tries: {n}', {n: x.attempt}) : t('on its way')));

const act = (x, what) => (body) => api.post(address`/api/outbox/${x.id}/` + what, body);

const retry = (x, load) => button(t('Retry'), async () => {
  const done = await askWho({title: t('Retry the transfer of {user}', {user: plain(x.user || x.id)}), confirm: t('Retry now'), body: h('p', t('Desk is asked for the state of the session first; the target is the one of that name in the rules in force.')), submit: act(x, 'retry')});
  if (done) toast(t('It is under way again.'));
  await load();
}, {icon: 'retry', key: 'retry ' + x.id});

const dismiss = (x, load) => button(t('Dismiss'), async () => {
  const done = await askWho({title: t('Dismiss the transfer of {user}', {user: plain(x.user || x.id)}), confirm: t('Dismiss it for good'), danger: true, body: h('p', t('Nobody is called for this customer any more; the conversation goes on with the bot.')), submit: act(x, 'dismiss')});
  if (done) toast(t('Dismissed.'));
  await load();
}, {icon: 'trash', kind: 'quiet bare', title: t('Dismiss'), key: 'dismiss ' + x.id});

async function retryAll(code, n, load) {
  let became = {};
  const done = await askWho({title: t('Retry {n} transfers', {n}), confirm: t('Retry {n} transfers', {n}), body: h('p', t('All that were given up with {code}.', {code})), submit: async (who) => { became = await api.post('/api/outbox/retry', who, {query: {code}}); }});
  if (done) toast(t('{n} under way again', {n: became.retried}) + (became.target_gone ? ' · ' + t('{n} not retried: their target is gone', {n: became.target_gone}) : '') + (became.left ? ' · ' + t('{n} left', {n: became.left}) : ''));
  await load();
}

const figure = (label, n) => h('div.count', h('span.quiet', label), h('b', typeof n === 'number' ? number(n) : '—'));

function people(d) {
  const r = d.reading || {}, groups = Object.entries(r.groups || {}), agents = Object.entries(r.agents || {});
  return [
    h('div.head', h('h2', t('Agents and queue')), d.at ? h('span.quiet', d.fresh ? outcome('good', t('read')) : outcome('warn', t('too old to count')), ' ', age(d.at)) : null),
    d.reading ? h('div.counts', figure(t('Free'), r.free), figure(t('Busy'), r.busy), figure(t('Resting'), r.rest), figure(t('Waiting'), r.queue)) : h('p.quiet', t('Desk has reported nothing yet.')),
    d.last_error ? notice('bad', t('The last reading failed at {at}: {error}', {at: clockText(d.last_error.at), error: d.last_error.error})) : null,
    groups.length ? table([{head: t('Group'), cell: ([g]) => g}, {head: t('Waiting'), class: 'num', cell: ([, n]) => number(n)}], groups) : null,
    agents.length ? h('details', h('summary', t('{n} agents by name', {n: agents.length})), h('ul.people', agents.map(([a, free]) => h('li', outcome(free ? 'good' : 'waiting', free ? t('free') : t('not free')), ' ', a)))) : null,
    d.polled_by ? h('p.quiet', t('Read by {name}', {name: d.polled_by})) : null,
  ];
}

const states = {waiting: () => t('waits for a free agent'), calling: () => t('being contacted'), contacted: () => t('contacted'), done: () => t('done'), given_up: () => t('given up'), unknown: () => t('not known whether contacted'), staff_only: () => t('reported to the staff')};
const stateKind = {waiting: 'waiting', calling: 'transfer', contacted: 'good', done: 'good', given_up: 'bad', unknown: 'warn', staff_only: 'info'};

function wordsLeft({messages: all}, load) {
  return [
    h('div.head', h('h2', t('Words left')), h('span.quiet', number(all.length))),
    all.length ? table([
      {head: t('Customer'), cell: (m) => [h('a.strong', {href: href('/c/' + encodeURIComponent(m.session)), data: {key: 'left ' + m.session}}, plain(m.user || m.session))]},
      {head: t('Words'), class: 'grow', cell: (m) => m.words.map((w) => h('p', w))},
      {head: t('State'), cell: (m) => [outcome(stateKind[m.state] || 'info', (states[m.state] || (() => m.state))()), m.agent ? h('p.quiet', m.agent) : null, m.error ? h('p.quiet', told(m)) : null]},
      {head: t('Since'), class: 'nowrap', cell: (m) => age(m.since)},
      {head: t('Actions'), class: 'actions-cell', cell: (m) => button(t('Delete'), () => forget(m, load), {icon: 'trash', kind: 'quiet bare', title: t('Delete')})}], first(all), {caption: t('Words left')}) : h('p.quiet', t('No customer has left a message.')),
    more(all),
  ];
}

async function forget(m, load) {
  const user = plain(m.user || m.session);
  const done = await askWho({title: t('Delete the words of {user}', {user}), confirm: t('Delete them; nobody contacts {user}', {user}), danger: true, why: false, body: m.words.map((w) => h('p', w)), submit: ({by}) => api.del('/api/messages', {query: {session: m.session, by}})});
  if (done) toast(t('Deleted.'));
  await load();
}

// seconds of a length of time, such as 72h0m0s.
const seconds = (length) => [...length.matchAll(/([\d.]+)(h|m|s)/g)].reduce((all, [, n, unit]) => all + n * {h: 3600, m: 60, s: 1}[unit], 0);

const size = (n) => (n < 0 ? t('the disk does not answer') : n < 1e6 ? t('{n} kB', {n: number(Math.ceil(n / 1000))}) : n < 1e9 ? t('{n} MB', {n: number(Math.round(n / 1e6))}) : t('{n} GB', {n: (n / 1e9).toFixed(1)}));

async function signOut() {
  await api.del('/api/session');
  refreshService();
  again();
}

const readiness = {ready: ['good', () => t('ready')], degraded: ['warn', () => t('degraded')], unready: ['bad', () => t('not ready')]};

function health(s, rules) {
  const [kind, words] = readiness[s.ready.status] || ['bad', () => s.ready.status], unknown = Object.entries(s.unknown_events || {});
  const row = (name, ...value) => [h('dt', name), h('dd', value)];
  return [
    h('section.card.stack', h('div.head', h('h2', t('Service')), outcome(kind, words()), tokenNeeded() ? null : button(t('Sign out'), signOut, {icon: 'out', kind: 'quiet push'})), (s.ready.reasons || []).length ? h('ul.bullets', s.ready.reasons.map((r) => h('li', r))) : null,
      s.drain ? notice('warn', t('Draining since {at}.', {at: clockText(s.drain.since)})) : null,
      h('dl.facts', row(t('Version'), s.version, s.commit ? [' ', h('code.quiet', s.commit.slice(0, 7))] : null), row(t('Replica'), s.replica || '—'), row(t('Up for'), lasting(s.started_at), ' ', h('span.quiet', t('since'), ' ', clock(s.started_at))),
        rules.version ? row(t('Rules'), h('a', {href: href('/history')}, rules.version.slice(0, 7))) : null,
        row(t('Desk'), s.desk.up ? outcome('good', t('answers')) : outcome('bad', t('does not answer')), s.desk.last_error ? h('p.quiet', s.desk.last_error) : null),
        row(t('Clock'), s.clock ? [outcome(Math.abs(s.clock.skew_s) > 20 ? 'warn' : 'good', t('{n} s from Desk’s', {n: s.clock.skew_s.toFixed(1)})), ' ', h('span.quiet', age(s.clock.seen_at))] : t('no callback with a time has arrived yet')),
        row(t('Log'), s.log.dropped ? outcome('bad', t('{n} lines lost', {n: number(s.log.dropped)})) : outcome('good', t('no lines lost'))))),
    h('section.card.stack', h('h2', t('What is kept')), h('dl.facts',
      row(t('Store'), s.store.can_write ? outcome('good', s.store.kind) : outcome('bad', t('{kind}, cannot be written', {kind: s.store.kind})), ' ', h('code.quiet', s.store.dir), ' ', size(s.store.bytes)),
      row(t('Conversations'), number(s.store.conversations)), row(t('Callbacks remembered'), number(s.store.marks)),
      row(t('History'), s.history ? [span(seconds(s.history.for)), ', ', t('{size} of {max}', {size: size(s.history.bytes), max: size(s.history.max)}), s.history.since ? [' ', h('span.quiet', t('since'), ' ', clock(s.history.since))] : null] : t('none is kept')),
      s.redis ? row('Redis', outcome(s.redis.up ? 'good' : 'bad', s.redis.up ? t('up') : t('away')), ' ', h('code.quiet', s.redis.address), ' ', h('span.quiet', t('since'), ' ', clock(s.redis.since))) : row('Redis', t('not used'))),
    s.redis && s.redis.replicas.length ? table([{head: t('Replica'), cell: (r) => r.name}, {head: t('Seen'), cell: (r) => t('{span} ago', {span: span(r.seen_s)})}], s.redis.replicas) : null),
    unknown.length ? h('section.card.stack', h('h2', t('Unknown events')), table([{head: t('Event'), cell: ([n]) => h('code', n)}, {head: t('Times'), class: 'num', cell: ([, n]) => number(n)}], unknown)) : null,
    h('section.card.stack', h('details', h('summary', h('b', t('Settings'))), table([{head: t('Setting'), cell: (x) => h('code', x.name)}, {head: t('Value'), cell: (x) => (x.default ? h('span.quiet', x.value || '—') : h('b', x.value))}], s.settings || []))),
  ];
}
