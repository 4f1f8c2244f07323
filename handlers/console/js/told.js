// Decisions in words.
//
//   kind(decision)            transfer, offer, keep, closed, message, asked, suppressed, near, shadow or none
//   kindWords(kind)           its word; kinds: all that the list is filtered by
//   said(decision)            the customer's words as they are kept, else why it was decided
//   reason(name)              negated, cooldown, … in words
//   attemptWords(outcome)     assigned, failed, … in words
//   attempt(transfer)         how a try to deliver ended, as an element; null for none
//   phase(name)               with the bot, waiting, …
//   setLabel(decision, label) right, wrong or '': asks for a name once, is undone when the service refuses

import {api, path} from './api.js';
import {outcome, id, askWho, author} from './parts.js';
import {h} from './dom.js';
import {took} from './time.js';
import {t} from './words.js';

export const kinds = ['transfer', 'offer', 'keep', 'suppressed', 'near', 'shadow', 'none'];

export const kind = (d) => (d.outcome !== 'none' && d.outcome !== 'shadow' ? d.outcome : d.shadow && d.shadow.length ? 'shadow' : d.near ? 'near' : 'none');

export const kindWords = (name) => ({
  transfer: t('transfer'), offer: t('offer'), keep: t('keep'), closed: t('closed'), message: t('message'), asked: t('asked'),
  suppressed: t('suppressed'), near: t('near'), shadow: t('shadow'), none: t('none'),
}[name] || name);

const why = (d) => (/^[a-z_]+$/.test(d.why || '') ? t('{condition} (the words are not kept)', {condition: d.why}) : d.why || d.event || ''); // ESCALATOR_LOG_TEXT

export const said = (d) => d.text || h('span.quiet', why(d));

export const reason = (name) => ({
  negated: t('negated'), masked: t('part of another phrase'), cooldown: t('cooldown'), per_session: t('too many transfers'), already_transferring: t('being transferred'),
  already_queued: t('waiting already'), already_human: t('with a person already'), muted: t('muted'), offer_pending: t('offer open'), offer_accepted: t('offer accepted'),
  offer_declined: t('offer declined'), closed: t('closed'),
}[name] || name);

export const phase = (name) => ({bot: t('with the bot'), transferring: t('being transferred'), queued: t('in the queue'), human: t('with a person')}[name] || name);

const ends = {
  assigned: ['good', () => t('assigned')], already_human: ['good', () => t('with a person already')], queued: ['waiting', () => t('in the queue')], retrying: ['retry', () => t('retrying')],
  no_agent: ['warn', () => t('no agent')], session_gone: ['none', () => t('the conversation is over')], failed: ['bad', () => t('failed')], unanswered: ['bad', () => t('nobody answered')], dismissed: ['none', () => t('dismissed')],
};

export const attemptWords = (name) => (ends[name] ? ends[name][1]() : name);

export function attempt(a) {
  if (!a) return null;
  const [picture] = ends[a.outcome] || ['none'];
  return h('span.attempt', {title: a.error || null}, outcome(picture, attemptWords(a.outcome)), a.code && String(a.code) !== '0' ? h('span.mono', String(a.code)) : null, a.agent ? id(a.agent, 14) : null, a.took_ms && a.final ? h('span.quiet', took(a.took_ms)) : null);
}

export async function setLabel(d, label, changed) {
  if (!author() && !(await askWho({title: t('Who is labelling?'), body: h('p', t('Labels are kept with a name; “escalator eval” reads them.')), confirm: t('Label'), why: false, submit: async () => {}}))) return;
  const before = d.label;
  d.label = label;
  changed();
  try {
    await api.put(path`/api/decisions/${d.id}/label`, {label, by: author()});
  } catch (e) {
    d.label = before;
    changed();
    throw e;
  }
}
