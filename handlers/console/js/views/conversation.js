// One conversation: the talk, and at the chosen turn why the rules did what they did, then or under the rules of now.

import {api, path} from '../api.js';
import {fill, h, icon} from '../dom.js';
import {service} from '../frame.js';
import {keys} from '../keys.js';
import {askWho, button, empty, failed, id, loading, outcome, plain, say, segments, toast} from '../parts.js';
import {go, href, query, setQuery} from '../router.js';
import {marked, story} from '../story.js';
import {explain, makeTest, matchTurns, turnsOf} from '../talk.js';
import {age, clock, every} from '../time.js';
import {attempt, kind, kindWords, phase, reason, setLabel} from '../told.js';
import {t} from '../words.js';

export const title = ({session}) => plain(session);

const notable = 'transfer,offer,keep,closed,message,suppressed,near,shadow';

export async function render(root, {session}, signal) {
  const v = {session, signal, rules: 'then', head: h('div'), talk: h('ol.talk'), aside: h('aside.card.why-panel', {'aria-label': t('Why')}), panel: h('div'), entries: []};
  fill(root, loading());
  try {
    await read(v);
  } catch (e) {
    if (e.name !== 'AbortError') fill(root, e.status === 404 ? unknown(session, e) : failed(e, () => render(root, {session}, signal)));
    return;
  }
  fill(root, v.head, h('div.talking', h('section', {'aria-label': t('Messages of the conversation')}, v.talk), v.aside));
  choose(v, nearest(v, query().at), true);
  const narrow = matchMedia('(max-width: 960px)');
  v.narrow = narrow;
  narrow.addEventListener('change', () => place(v), {signal});
  place(v);
  keys(signal, [
    ['j', () => t('next turn'), () => step(v, 1)],
    ['k', () => t('turn before'), () => step(v, -1)],
    ['r', () => t('label right'), () => v.decision && relabel(v, 'right')],
    ['w', () => t('label wrong'), () => v.decision && relabel(v, 'wrong')],
    ['Escape', () => t('back to the list'), () => (history.length > 1 ? history.back() : go(href('/')))],
  ]);
  every(4000, () => read(v).catch(() => {}), signal);
}

async function read(v) {
  const told = await api.get(path`/api/conversations/${v.session}`, {signal: v.signal});
  const news = told.entries.length + ' ' + (told.entries.at(-1) || {}).at;
  const [decisions, outbox] = await Promise.all([
    api.get('/api/decisions', {query: {session: v.session, outcome: notable, n: 200}, signal: v.signal}).catch(() => ({decisions: []})),
    api.get('/api/outbox', {signal: v.signal}).catch(() => ({pending: [], given_up: []})),
  ]);
  v.decisions = decisions.decisions;
  v.pending = outbox.pending.find((x) => x.id === v.session);
  v.givenUp = outbox.given_up.find((x) => x.id === v.session);
  drawHead(v, told);
  if (v.news === news) return;
  Object.assign(v, {news, told, entries: told.entries, now: null});
  drawTalk(v);
  if (v.chosen) choose(v, v.entries.find((e) => e.at === v.chosen.at && e.kind === 'turn') || v.chosen);
}

function unknown(session, error) {
  const kept = service.status && service.status.history;
  return h('div.stack.wide', h('h1', t('Conversation')), empty(t('Nothing is kept of this conversation'), h('p', id(session, 60)), h('p', error.message),
    kept ? h('p', t('Conversations are kept for {time}; the oldest go first when there are too many.', {time: kept.for})) : null,
    h('p', h('a', {href: href('/', {user: session})}, t('Decisions about a user of this name'))), h('p', h('a', {href: href('/c')}, t('Find another conversation')))));
}

function drawHead(v, told) {
  const last = told.entries.at(-1), turns = turnsOf(told.entries);
  fill(v.head, h('div.head', h('h1', t('Conversation')), id(v.session, 44),
    told.user ? h('span.row', icon('user'), id(told.user, 28), h('a.quiet', {href: href('/', {user: told.user})}, t('all decisions'))) : null,
    told.phase ? outcome({human: 'good', queued: 'waiting', transferring: 'transfer'}[told.phase] || 'bot', phase(told.phase)) : null, last ? h('span.quiet', age(last.at)) : null,
    h('span.push.row',
      v.givenUp ? button(t('Retry the transfer'), () => retry(v), {icon: 'retry', kind: 'primary'}) : null,
      v.givenUp || v.pending ? button(t('Dismiss the transfer'), () => dismiss(v), {icon: 'trash'}) : null,
      turns.length ? h('a.button', {href: href('/try', {session: v.session})}, icon('flask'), t('Try this conversation')) : null,
      turns.length ? button(t('Make a test'), () => makeTest(turns, {}), {icon: 'check'}) : null)));
}

const retry = (v) => askWho({title: t('Retry the transfer'), body: h('p', t('Escalator asks Desk for the state of the session, then sends the transfer to {target} again.', {target: v.givenUp.target})), confirm: t('Retry the transfer'),
  submit: (who) => api.post(path`/api/outbox/${v.session}/retry`, who)}).then((yes) => { if (yes) { toast(t('On its way again')); return read(v); } });

const dismiss = (v) => askWho({title: t('Dismiss the transfer'), danger: true, body: h('p', t('The transfer ends for good: this customer stays with the bot.')), confirm: t('Dismiss the transfer'),
  submit: (who) => api.post(path`/api/outbox/${v.session}/dismiss`, who)}).then((yes) => { if (yes) { toast(t('Dismissed')); return read(v); } });

// The talk

const speakers = {user: ['user', () => t('Customer')], bot: ['bot', () => t('Bot')], agent: ['agent', () => t('Agent')], escalator: ['transfer', () => t('Escalator')]};

function drawTalk(v) {
  v.items = new Map();
  fill(v.talk, v.told.older ? h('li.event.quiet', t('Earlier messages are no longer kept.')) : null, v.entries.map((e) => {
    const li = item(v, e);
    v.items.set(e, li);
    return li;
  }));
}

function item(v, e) {
  if (e.kind === 'turn' && speakers[e.role]) return bubble(v, e, e.role);
  if (e.kind === 'said') return bubble(v, e, 'escalator');
  if (e.kind === 'turn' && e.role === 'start') return event(e, 'play', t('The session begins'));
  if (e.rating) return event(e, 'info', t('The customer rated the service: {n} of 5', {n: e.rating}), e.kind === 'turn' ? v : null);
  if (e.kind === 'turn') return event(e, 'clock', t('Time passed'), v);
  if (e.kind === 'contact') return h('li.event', icon('message'), t('An agent is to contact the customer'), attempt(e), e.code_words ? h('span.quiet', e.code_words) : null, h('span.quiet', clock(e.at)));
  if (e.kind === 'phase') return event(e, {human: 'agent', queued: 'clock', bot: 'bot'}[e.phase] || 'transfer', phase(e.phase));
  if (e.kind === 'attempt') return h('li.event', attempt(e), e.target ? h('span.quiet', '→ ', e.target) : null, e.code_words ? h('span.quiet', e.code_words) : null, h('span.quiet', clock(e.at)));
  return event(e, 'asked', t('Desk asked: {answer}', {answer: e.target || e.outcome}), v);
}

function event(e, picture, words, v) {
  const told = [icon(picture), h('span', words), h('span.quiet', clock(e.at))], k = v ? kind(e) : 'none';
  return h('li.event', v && k !== 'none' ? h('button.turn', {type: 'button', onclick: () => choose(v, e)}, told, outcome(k, kindWords(k))) : told);
}

function bubble(v, e, role) {
  const [picture, words] = speakers[role], k = e.kind === 'turn' ? kind(e) : 'none', rule = e.rule || e.near || (e.shadow || [])[0];
  const inside = [
    h('span.who', icon(picture), words(), ' · ', clock(e.at), e.mark ? h('span.tag', e.mark) : null, (e.sends || []).map((s) => h('span.tag', s)), (e.tags || []).map((s) => h('span.tag', s))),
    h('span.said', e.text ? marked(e.text, e.matched) : h('span.quiet', (e.sends || []).length ? t('(no words)') : t('(words are not kept)'))),
    k !== 'none' ? h('span.then', outcome(k, kindWords(k)), h('span.quiet', rule, e.reason ? ' · ' + reason(e.reason) : '')) : null,
  ];
  return h('li.said-by.' + role, e.kind === 'turn' && role !== 'agent' ? h('button.bubble.turn', {type: 'button', onclick: () => choose(v, e)}, inside) : h('div.bubble', inside));
}

// The chosen turn

const choosable = (v) => v.entries.filter((e) => v.items.get(e).querySelector('button.turn'));

function nearest(v, at) {
  const all = choosable(v);
  if (at) return all.reduce((best, e) => (Math.abs(new Date(e.at) - new Date(at)) < Math.abs(new Date(best.at) - new Date(at)) ? e : best), all[0]);
  return all.findLast((e) => kind(e) !== 'none') || all.findLast((e) => e.role === 'user') || all.at(-1);
}

function step(v, by) {
  const all = choosable(v), e = all[Math.max(0, Math.min(all.length - 1, all.indexOf(v.chosen) + by))];
  if (e) choose(v, e, false, true);
}

function choose(v, e, first, focus) {
  if (!e) { fill(v.panel, h('p.quiet', t('No turn of this conversation was decided by rules.'))); return; }
  v.chosen = e;
  for (const b of v.talk.querySelectorAll('.turn')) b.removeAttribute('aria-current');
  const b = v.items.get(e) && v.items.get(e).querySelector('.turn');
  if (b) {
    b.setAttribute('aria-current', 'true');
    if (focus) b.focus({preventScroll: true});
    if (focus || first) b.scrollIntoView({block: 'nearest'});
  }
  if (!first) setQuery({at: e.at});
  v.decision = v.decisions.find((d) => d.request_id && d.request_id === e.request_id && kind(d) === kind(e)) || v.decisions.find((d) => d.at === e.at);
  drawPanel(v);
  place(v);
}

// On a phone the panel stands below its turn, else beside the talk.
function place(v) {
  if (!v.narrow) return;
  const li = v.chosen && v.items.get(v.chosen);
  v.aside.hidden = v.narrow.matches;
  if (v.narrow.matches && li) {
    if (!v.inline) v.inline = h('li.inline.card');
    v.inline.append(v.panel);
    li.after(v.inline);
  } else {
    v.inline?.remove();
    v.aside.append(v.panel);
  }
}

function drawPanel(v) {
  const e = v.chosen, body = h('div');
  if (!v.panel.isConnected) v.aside.append(v.panel);
  fill(v.panel, h('div.stack.wide', h('div.row', segments(t('Which rules'), [{value: 'then', label: t('Rules then')}, {value: 'now', label: t('Rules now')}], v.rules, (r) => { v.rules = r; fillPanel(v, body); }), labels(v)), body));
  fillPanel(v, body);
  return e;
}

function labels(v) {
  if (!v.decision) return null;
  const one = (label, words, picture) => h('button.mark', {type: 'button', class: label, 'aria-pressed': String(v.decision.label === label), 'aria-label': words, title: words, onclick: () => relabel(v, label)}, icon(picture));
  return h('span.push.label', one('right', t('Right'), 'check'), one('wrong', t('Wrong'), 'cross'));
}

const relabel = (v, label) => setLabel(v.decision, v.decision.label === label ? '' : label, () => drawPanel(v)).catch((e) => toast(say(e), {kind: 'bad'}));

async function fillPanel(v, body) {
  const e = v.chosen;
  if (v.rules === 'then') {
    const at = v.entries.indexOf(e), before = v.entries.slice(0, at).findLast((x) => x.counters);
    const next = v.entries.findIndex((x, i) => i > at && x.kind === 'turn' && kind(x) === 'transfer');
    fill(body, story({decision: e, rules: e.rules, counters: e.counters, before: e.counters_before || (before && before.counters), phase: e.from,
      attempts: kind(e) === 'transfer' ? v.entries.slice(at, next < 0 ? undefined : next).filter((x) => x.kind === 'attempt') : []}));
    if (e.rules_version) body.firstChild.append(h('p.quiet', t('Rules {version}', {version: e.rules_version.slice(0, 7)}), service.rules && service.rules.version.startsWith(e.rules_version) ? ' · ' + t('they are in force') : ''));
    return;
  }
  fill(body, loading());
  try {
    v.now ||= explainNow(v);
    const told = await v.now;
    if (v.chosen !== e || v.rules !== 'now') return;
    const x = told.get(e);
    fill(body, x ? [kind(x.decision) !== kind(e) || (x.decision.rule || '') !== (e.rule || '') ? h('p.note', icon('info'), h('span', t('Then it was: {then}', {then: kindWords(kind(e)) + (e.rule ? ' · ' + e.rule : '')}))) : h('p.quiet', t('The same as then.')),
      story({...x, phase: x.phase}), h('p.quiet', t('Explained from the text that is kept, which is masked as in the log.'))] : h('p.quiet', t('This turn has no text that could be explained again.')));
  } catch (error) {
    v.now = null;
    if (error.name !== 'AbortError' && v.chosen === e) fill(body, failed(error));
  }
}

async function explainNow(v) {
  const turns = turnsOf(v.entries), told = (await explain(turns, {}, v.signal)).turns, found = new Map();
  matchTurns(turns, told).forEach((i, at) => {
    const e = v.entries.find((x) => x.at === turns[at].at && x.role === turns[at].role);
    if (i >= 0 && e) found.set(e, told[i]);
  });
  return found;
}

