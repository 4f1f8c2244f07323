// Why a turn was decided as it was: the panel beside a conversation, and beside Try.
//
//   story(turn)       turn: {decision: {outcome, rule, target, reason, near, shadow, why, matched, say, offer}, rules: [{id, result, reason,
//                     why, condition?}], counters, before, attempts, phase, language, tokens}
//   sentence(decision, attempts)  the decision, and what became of it, in one sentence, as texts and nodes
//   marked(text, matched)  a text with what was found in it marked

import {h, icon} from './dom.js';
import {meter, outcome} from './parts.js';
import {href} from './router.js';
import {clock, span} from './time.js';
import {attempt, attemptWords, kind, kindWords, phase, reason} from './told.js';
import {t, tr} from './words.js';

const link = (rule) => h('a', {href: href('/rules/' + encodeURIComponent(rule))}, h('b', rule));

const arrived = new Set(['assigned', 'already_human', 'queued']);

export function sentence(d, attempts = []) {
  const rule = link(d.rule || d.near || (d.shadow || [])[0] || ''), because = reason(d.reason), to = h('b', d.target || ''), end = attempts.findLast((a) => a.final);
  switch (kind(d)) {
    case 'transfer': return end && !arrived.has(end.outcome) ? tr('Not transferred to {to}: {rule} matched, but the transfer ended like this: {end}.', {to, rule, end: attemptWords(end.outcome)}) : d.reason === 'offer_accepted' ? tr('Transferred to {to}: the customer accepted the offer of {rule}.', {to, rule}) : tr('Transferred to {to}: {rule} matched.', {to, rule});
    case 'offer': return tr('The customer is asked first: {rule} matched.', {rule});
    case 'keep': return tr('Left with the bot on purpose: {rule} matched.', {rule});
    case 'closed': return tr('Not transferred: {rule} matched, but every target is closed now.', {rule});
    case 'message': return tr('The customer is asked to leave a message: {rule} matched.', {rule});
    case 'asked': return tr('Desk asked where to send the customer: {rule} chose {to}.', {rule, to});
    case 'suppressed': return tr('Not transferred: {rule} matched, but was held back ({because}).', {rule, because});
    case 'shadow': return tr('Nothing was done: {rule} is in shadow mode and would have acted.', {rule});
    case 'near': return d.reason ? tr('Not transferred: {rule} was a near miss ({because}).', {rule, because}) : tr('Not transferred: {rule} was one short.', {rule});
    default: return [t('No rule matched.')];
  }
}

export function marked(text, matched) {
  const found = [...new Set((matched || []).map((m) => (typeof m === 'string' ? m : m.text)).filter(Boolean))].sort((a, b) => b.length - a.length);
  if (!found.length || !text) return text;
  const parts = text.split(new RegExp('(' + found.map((f) => f.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|') + ')', 'i'));
  return parts.map((p, i) => (i % 2 ? h('mark', p) : p));
}

export function story(s) {
  const d = s.decision, told = (d.say || []).map((w) => w.text), asks = (d.offer || []).map((w) => w.text);
  return h('div.story.stack.wide',
    h('div.stack', h('p.lead', h('span.lead-mark', outcome(kind(d), h('span.offscreen', kindWords(kind(d))))), h('span', sentence(d, s.attempts || undefined))),
      d.why ? h('p.why', d.why) : null,
      told.length ? h('p.quiet', t('The customer is told: {words}', {words: told.join(' / ')})) : null,
      asks.length ? h('p.quiet', t('The customer is asked: {words}', {words: asks.join(' / ')})) : null,
      d.chain && d.chain.length > 1 ? h('p.quiet', t('Tried in this order: {chain}', {chain: d.chain.map((c) => c.target + (c.closed ? ` (${c.closed})` : '')).join(' → ')})) : null,
      s.phase && s.phase !== 'bot' && !s.tokens ? h('p.quiet', t('The conversation was {phase}.', {phase: phase(s.phase)})) : null),
    counters(s), attempts(s.attempts), rules(s.rules || [], d));
}

function counters({counters: c, before}) {
  if (!c) return null;
  const one = (name, label, of) => h('div', meter(c[name], of, label), h('span.quiet', before && before[name] !== c[name] ? t('{n} before', {n: before[name]}) : t('as before')));
  return h('section.stack', h('h3', t('Counters')), h('div.counters',
    one('user_messages', t('customer’s messages')), one('misses_in_a_row', t('misses in a row'), c.misses_of), one('transfers', t('transfers'))),
    (c.cooldowns || []).length ? h('p.quiet', t('At rest after it fired: {rules}', {rules: c.cooldowns.map((x) => `${x.rule} (${span(x.left_s)})`).join(', ')})) : null);
}

function attempts(list) {
  if (!list || !list.length) return null;
  return h('section.stack', h('h3', t('Delivery')), h('ol.stack', list.map((a) => h('li.try', h('span.quiet', clock(a.at)), attempt(a), a.target ? h('span.quiet', '→ ', a.target) : null, a.code_words || a.error ? h('p.quiet', a.code_words || a.error) : null))));
}

const results = {
  fired: ['good', () => t('matched')], suppressed: ['suppressed warn', () => t('held back')], muted: ['muted', () => t('muted')], shadow: ['shadow', () => t('shadow')], no: ['cross', () => t('did not match')],
  off: ['none', () => t('off')], not_tried: ['none', () => t('not tried')],
};

function rules(list, d) {
  if (!list.length) return null;
  const last = list.findLastIndex((r) => r.result !== 'not_tried'), tried = list.slice(0, last + 1), rest = list.slice(last + 1);
  return h('section.stack', h('h3', t('Rules, in the order of the file')), h('ol.rules', tried.map((r) => rule(r, d)),
    rest.length ? h('li', h('details', h('summary.quiet', rest.length === 1 ? t('1 rule below was not tried') : t('{n} rules below were not tried', {n: rest.length})), h('p.quiet', rest.map((r) => r.id).join(', ')))) : null));
}

function rule(r, d) {
  const [picture, words] = results[r.result] || results.no, near = r.id === d.near;
  const [name, more] = (near ? 'near' : picture).split(' ');
  return h('li.tried', {class: r.result}, h('span.outcome.' + name, {class: more, title: words()}, icon({good: 'check', muted: 'suppressed'}[name] || name), h('span.offscreen', words())),
    h('div', h('a.rule-id', {href: href('/rules/' + encodeURIComponent(r.id))}, r.id), r.reason ? h('span.quiet', ' · ', reason(r.reason)) : null,
      r.condition && r.condition.parts ? h('details', h('summary.why', r.why), tree(r.condition)) : r.why ? h('p.why', r.why) : null));
}

const holds = {yes: ['good', 'check'], no: ['none', 'cross']};

function tree(p) {
  const [colour, picture] = holds[p.holds] || ['none', 'minus'];
  return h('ul.tree', h('li', h('span.outcome.' + colour, icon(picture), h('span.offscreen', p.holds)), ' ', h('code', p.name), p.why ? h('span.quiet', ' ', p.why) : null, (p.parts || []).map(tree)));
}
