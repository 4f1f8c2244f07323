// Conversations as turns: what was said, for explaining it anew, and as a test.
//
//   turnsOf(entries)          the turns of a conversation's history for POST /api/explain, at most 100
//   explain(turns, more, signal)   asks the service; more: at, version, against, as_test
//   matchTurns(turns, told)   for each turn the index of what was told of it, -1 for none
//   makeTest(turns, more)     a dialog with the YAML of a test, to copy

import {api, Failure} from './api.js';
import {fill, h} from './dom.js';
import {copy, dialog, field, outcome, say} from './parts.js';
import {zoned} from './time.js';
import {t} from './words.js';

const spoken = new Set(['user', 'bot', 'agent']);

export function turnsOf(entries) {
  const turns = [];
  let called = false;
  for (const e of entries) {
    if (e.kind === 'turn' && spoken.has(e.role) && e.text) turns.push({role: e.role, text: e.text, at: e.at, mark: e.mark});
    if (e.kind === 'turn' && e.outcome === 'transfer') called = true;
    if (e.kind === 'attempt' && e.final && called && ['assigned', 'queued', 'no_agent', 'failed'].includes(e.outcome)) {
      turns.push({role: 'desk', text: e.outcome, at: e.at});
      called = false;
    }
  }
  return turns.slice(-100);
}

const bare = ({role, text, at, mark, fields}) => ({role, text, at: at && zoned(at), mark: mark || undefined, fields: fields && Object.keys(fields).length ? fields : undefined});

export async function explain(turns, more, signal) {
  const send = (list) => api.post('/api/explain', {turns: list.map(bare), ...more, at: zoned(more.at || turns[0].at || Date.now())}, {signal});
  try {
    return await send(turns);
  } catch (e) { // other rules made no transfer, so that there is none to end
    const rest = turns.filter((x) => x.role !== 'desk');
    if (!(e instanceof Failure) || e.status !== 400 || rest.length === turns.length || !rest.length) throw e;
    return send(rest).catch(() => { throw e; });
  }
}

export function matchTurns(turns, told) {
  let from = 0;
  return turns.map((x) => {
    const i = told.findIndex((y, at) => at >= from && y.role === x.role);
    if (i < 0) return -1;
    from = i + 1;
    return i;
  });
}

export function makeTest(turns, more, name) {
  const box = h('input', {value: name || t('from a conversation'), required: true, maxlength: 120}), yaml = h('pre', {tabindex: 0, 'aria-label': 'YAML'});
  let last = '', timer;
  const draw = async () => {
    try {
      last = (await explain(turns, {...more, as_test: box.value || '?'})).test;
      fill(yaml, last);
    } catch (e) {
      fill(yaml, outcome('bad', say(e)));
    }
  };
  box.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(draw, 250); });
  draw();
  return dialog({title: t('Make a test'), wide: true, cancel: t('Close'), confirm: t('Copy'), submit: () => copy(last), body: [
    field(t('Name of the test'), box), yaml, h('p.quiet', t('Paste it under tests: in the rule file. It expects what these rules do now.')),
  ]});
}
