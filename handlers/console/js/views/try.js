// Try: a talk that is typed, explained by the service while it is typed. Nothing of it reaches a customer, Desk, or what the
// rules count.

import {api, path} from '../api.js';
import {fill, h, icon} from '../dom.js';
import {keys} from '../keys.js';
import {button, empty, field, outcome, say, segments} from '../parts.js';
import {query, setQuery} from '../router.js';
import {marked, story} from '../story.js';
import {explain, makeTest, matchTurns, turnsOf} from '../talk.js';
import {clockText} from '../time.js';
import {kind, kindWords, phase, reason} from '../told.js';
import {t} from '../words.js';

export const title = () => t('Try');

const pause = 150; // after the last key, before the service is asked

const roles = () => [{value: 'user', label: t('Customer')}, {value: 'bot', label: t('Bot')}, {value: 'agent', label: t('Agent')}, {value: 'wait', label: t('Time')}, {value: 'desk', label: t('Desk')}];

// What is offered to be said at once, by role.
const samples = {
  wait: ['30s', '1m', '5m', '15m', '1h'],
  desk: ['assigned', 'queued', 'no_agent', 'failed', '{agents: 0}', '{agents: 3, queue: 12}'],
};

const keep = 'escalator.try';
const remember = (v) => { try { sessionStorage.setItem(keep, JSON.stringify({turns: v.turns, at: v.at, user: v.user, fields: v.fields})); } catch { /* not kept */ } };
const recall = () => { try { return JSON.parse(sessionStorage.getItem(keep)) || {}; } catch { return {}; } };

export async function render(root, params, signal) {
  const v = {signal, turns: [], role: 'user', at: '', user: '', fields: '', version: '', against: '', ...recall(), chosen: -1};
  v.talk = h('ol.talk');
  v.wrong = h('div', {role: 'alert'});
  v.panel = h('div');
  v.versions = h('div.row');
  root.append(h('div.head', h('h1', title()), h('span.quiet', t('Nothing here reaches a customer or Desk.')), h('span.push.row', v.versions,
    button(t('Make a test'), () => v.turns.length && makeTest(v.turns, more(v)), {icon: 'check'}), button(t('Start over'), () => { v.turns = []; v.chosen = v.editing = -1; changed(v); v.text.focus(); }, {icon: 'retry', kind: 'quiet'}))),
  h('div.talking', h('section.stack.wide', {'aria-label': t('Messages of the conversation')}, v.talk, setting(v), composer(v)), h('aside.card.why-panel', {'aria-label': t('Why')}, v.wrong, v.panel)));
  drawVersions(v);
  keys(signal, [['/', () => t('type a message'), () => v.text.focus()], ['j', () => t('next turn'), () => step(v, 1)], ['k', () => t('turn before'), () => step(v, -1)]]);
  const {session, text} = query();
  if (text) {
    v.turns = [{role: 'user', text}];
    setQuery({text: ''});
  }
  if (session) await load(v, session);
  if (matchMedia('(pointer: fine)').matches) v.text.focus({preventScroll: true});
  changed(v, 0);
}

async function load(v, session) {
  const told = await api.get(path`/api/conversations/${session}`, {signal: v.signal});
  v.turns = turnsOf(told.entries);
  v.user = told.user || '';
  v.at = '';
  setQuery({session: ''});
}

// What is typed

function composer(v) {
  const quick = h('div.chips'), text = v.text = h('textarea', {rows: 1, 'aria-label': t('What is said'), onkeydown: (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); add(); }
  }, oninput: () => changed(v, pause, true)});
  const mark = v.mark = h('input', {list: 'marks', 'aria-label': t('Mark of the message'), placeholder: t('mark'), hidden: true, oninput: () => changed(v, pause, true)});
  const add = (words = text.value) => {
    if (!words.trim()) return;
    const said = {role: v.role, text: words, mark: v.role === 'bot' ? mark.value : ''};
    if (v.editing >= 0) v.turns.splice(v.editing, 0, said);
    else v.turns.push(said);
    v.chosen = v.editing >= 0 ? v.editing : v.turns.length - 1;
    v.editing = -1;
    text.value = mark.value = '';
    if (v.role === 'wait' || v.role === 'desk') setRole('user');
    changed(v, 0);
    text.focus();
  };
  const choice = h('div');
  const setRole = (r) => {
    v.role = r;
    fill(choice, segments(t('Who speaks'), roles(), r, setRole));
    mark.hidden = r !== 'bot';
    text.placeholder = {user: t('A message of the customer'), bot: t('A message of the bot'), agent: t('A message of the agent'), wait: t('How long nobody writes: 5m'), desk: t('How the transfer ends, or who is online')}[r];
    fill(quick, (samples[r] || []).map((s) => h('button.chip', {type: 'button', onclick: () => add(s)}, s)));
    changed(v, pause, true);
  };
  Object.assign(v, {setRole, add});
  v.editing = -1;
  setRole('user');
  return h('form.composer.card.stack', {onsubmit: (e) => { e.preventDefault(); add(); }},
    h('div.row', choice, quick), h('div.row', text, mark, h('datalist', {id: 'marks'}, ['fallback', 'clarify', 'welcome', 'queuing'].map((m) => h('option', {value: m}))), h('button.button.primary', t('Add'))));
}

function setting(v) {
  const put = (name) => (e) => { v[name] = e.target.value; changed(v); };
  const local = v.at ? new Date(new Date(v.at) - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : '';
  return h('details.card', {open: Boolean(v.at || v.fields || v.user)}, h('summary', t('Clock, fields, customer')), h('div.setting',
    field(t('Starts at'), h('span.picker', icon('clock'), h('input', {type: 'datetime-local', value: local, onchange: (e) => { v.at = e.target.value ? new Date(e.target.value).toISOString() : ''; changed(v); }})), t('Empty means now. Messages are 10 s apart.')),
    field(t('User id'), h('input', {value: v.user, oninput: put('user')}), t('For rules that have a share; without it, every customer is in it.')),
    field(t('Fields of the customer’s messages'), h('textarea', {rows: 2, value: v.fields, placeholder: 'CloudCustomData.level=gold', oninput: put('fields')}), t('One per line: PATH=VALUE'))));
}

const fieldsOf = (v) => Object.fromEntries(v.fields.split('\n').map((l) => /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(l)).filter(Boolean).map((m) => [m[1], m[2]]));

const more = (v) => ({at: v.at || (v.turns[0] && v.turns[0].at) || undefined, user: v.user || undefined, version: v.version || undefined});

// Which rules

async function drawVersions(v) {
  const history = await api.get('/api/rules/history', {signal: v.signal}).catch(() => null), list = (history && (history.versions || history.history)) || [];
  const options = (first) => [h('option', {value: ''}, first), h('option', {value: 'disk'}, t('the file on disk')), list.map((r) => h('option', {value: r.version}, `${r.version.slice(0, 7)} · ${clockText(r.at)}${r.author ? ' · ' + r.author : ''}`))];
  const select = (name, label, first) => h('select', {'aria-label': label, title: label, value: '', onchange: (e) => { v[name] = e.target.value; changed(v, 0); }}, options(first));
  fill(v.versions, select('version', t('Rules to try'), t('Rules in force')), select('against', t('Compare with'), t('Compare with…')));
}

// The service's answer

// What is under way tells of a talk that is no more: an answer that came late would choose a turn of it.
function changed(v, after = pause, typing = false) {
  remember(v);
  clearTimeout(v.timer);
  v.asking?.abort();
  if (!v.signal.aborted && v.text) v.timer = setTimeout(() => ask(v, typing), after);
}

async function ask(v, typing) {
  const draft = v.text.value.trim() ? {role: v.role, text: v.text.value, mark: v.mark.value, draft: true} : null, fields = fieldsOf(v);
  const turns = [...v.turns];
  if (draft) turns.splice(v.editing >= 0 ? v.editing : turns.length, 0, draft);
  const {signal} = v.asking = new AbortController();
  if (!turns.length) { show(v, [], {turns: []}); return; }
  try {
    const sent = turns.map((x) => (x.role === 'user' ? {...x, fields: {...fields, ...x.fields}} : x));
    const told = await explain(sent, {...more(v), against: v.against || undefined}, signal);
    if (!signal.aborted && !v.signal.aborted) show(v, turns, told, typing);
  } catch (e) {
    if (e.name === 'AbortError') return;
    const unready = draft && e.status === 400 && (draft.role === 'wait' || draft.role === 'desk'); // it is half typed
    if (!unready) fill(v.wrong, h('p.wrong', outcome('bad', say(e))));
    draw(v);
  }
}

function show(v, turns, told, typing) {
  fill(v.wrong);
  Object.assign(v, {shown: turns, told, at_: matchTurns(turns, told.turns)});
  if (typing && turns.some((x) => x.draft)) v.chosen = turns.findIndex((x) => x.draft);
  else if (v.chosen >= turns.length) v.chosen = turns.length - 1;
  draw(v);
}

function draw(v) {
  const {shown = [], told = {turns: []}, at_ = []} = v, differs = new Set(told.differs || []);
  v.spots = [];
  if (!shown.length) {
    fill(v.talk, h('li', empty(t('Say something as the customer'), t('You see at once which rules match, and why.'))));
    fill(v.panel, h('p.quiet', t('The explanation appears here while you type.')));
    return;
  }
  const lines = told.turns.map((x, i) => [x, i, at_.indexOf(i)]);
  fill(v.talk, lines.map(([x, i, mine]) => line(v, x, i, mine, differs.has(i))));
  const i = v.chosen >= 0 && at_[v.chosen] >= 0 ? at_[v.chosen] : v.spot ?? told.turns.findLastIndex((x) => x.role === 'user' && x.rules.length);
  choose(v, i < 0 || i >= told.turns.length ? told.turns.length - 1 : i);
}

const pictures = {user: 'user', bot: 'bot', agent: 'agent', wait: 'clock', desk: 'message', timer: 'clock', event: 'info', start: 'play'};
const names = (role) => (roles().find((r) => r.value === role) || {label: role}).label;

function line(v, x, i, mine, differs) {
  const k = kind(x.decision), of = mine >= 0 ? v.shown[mine] : null, speaks = x.role === 'user' || x.role === 'bot' || x.role === 'agent';
  const then = k === 'none' && !differs ? null : h('span.then', k === 'none' ? null : outcome(k, kindWords(k)), k === 'none' ? null : h('span.quiet', x.decision.rule || x.decision.near || (x.decision.shadow || [])[0], x.decision.reason ? ' · ' + reason(x.decision.reason) : ''), differs ? h('span.differs', '≠ ', other(v, i)) : null);
  const words = x.role === 'timer' ? t('time passes') : x.text;
  const b = h('button.turn', {type: 'button', class: speaks ? 'bubble' : '', onclick: () => { v.chosen = mine; v.spot = i; choose(v, i); }},
    speaks ? [h('span.who', icon(pictures[x.role]), names(x.role), ' · ', clockText(x.at), of && of.mark ? h('span.tag', of.mark) : null, of && of.draft ? h('span.tag', t('typing')) : null), h('span.said', marked(x.text, x.decision.matched))]
      : [icon(pictures[x.role] || 'info'), h('span', x.role === 'wait' || x.role === 'desk' ? names(x.role) + ': ' : '', words), h('span.quiet', clockText(x.at), x.role === 'desk' ? ' · ' + x.summary : '')], then);
  v.spots[i] = b;
  return h('li', {class: (speaks ? 'said-by ' + x.role : 'event') + (of && of.draft ? ' draft' : '')}, b, of && !of.draft ? h('span.edit', h('button.tool', {type: 'button', 'aria-label': t('Edit'), title: t('Edit'), onclick: () => edit(v, of)}, icon('pencil')), h('button.tool', {type: 'button', 'aria-label': t('Remove'), title: t('Remove'), onclick: () => remove(v, of)}, icon('cross'))) : null);
}

// take takes a turn out of the talk, and says where it was: -1 when it is out already, but not yet off the page.
function take(v, of) {
  const at = v.turns.indexOf(of);
  if (at >= 0) v.turns.splice(at, 1);
  if (at >= 0 && at < v.editing) v.editing--;
  return at;
}

function remove(v, of) {
  if (take(v, of) < 0) return;
  changed(v, 0);
  v.text.focus();
}

function edit(v, of) {
  if (v.editing >= 0) v.add(); // what is being edited goes back to its place
  const at = take(v, of);
  if (at < 0) return;
  v.editing = at;
  v.setRole(of.role);
  v.text.value = of.text;
  v.mark.value = of.mark || '';
  v.text.focus();
  changed(v, 0, true);
}

function other(v, i) {
  const y = v.told.against && v.told.against.turns[i];
  return y ? kindWords(kind(y.decision)) + (y.decision.rule ? ' · ' + y.decision.rule : '') : '';
}

function step(v, by) {
  const next = Math.max(0, Math.min(v.spots.length - 1, (v.spot ?? v.spots.length) + by));
  v.spots[next]?.click();
  v.spots[next]?.focus();
}

function choose(v, i) {
  const x = v.told.turns[i];
  v.spot = i;
  for (const b of v.talk.querySelectorAll('.turn')) b.removeAttribute('aria-current');
  if (!x) return;
  v.spots[i].setAttribute('aria-current', 'true');
  const y = (v.told.differs || []).includes(i) && v.told.against && v.told.against.turns[i];
  fill(v.panel, h('div.stack.wide', v.told.against && v.told.against.error ? h('p.note', icon('info'), t('The other rules could not finish: {error}', {error: v.told.against.error})) : null,
    y ? h('p.note', icon('info'), h('span', t('Under the other rules: {outcome}', {outcome: other(v, i)}), y.decision.why ? ' · ' + y.decision.why : '')) : null,
    x.rules.length ? story({...x, before: before(v, i)}) : h('p.lead', x.summary),
    x.rules.length ? h('p.quiet', x.language ? t('Language: {language}', {language: x.language}) + ' · ' : '', t('Phase: {phase}', {phase: phase(x.phase)}), x.normal && x.normal !== x.text ? ' · ' + t('read as: {words}', {words: x.normal}) : '') : null));
}

function before(v, i) {
  return (v.told.turns.slice(0, i).findLast((x) => x.counters) || {}).counters || {user_messages: 0, misses_in_a_row: 0, transfers: 0};
}

