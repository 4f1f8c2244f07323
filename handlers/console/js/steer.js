// What the views that change rules share.
//
//   places(at)               the tabs of the place Rules
//   short(version)           as people say it
//   mode(rule)               enforce, shadow, off, or muted until when
//   changes(change)          what lies between two versions, part by part (the "change" of /api/rules/diff)
//   unified(text)            the same line by line; between(a, b) makes such a text of two texts
//   problems(list, files, jump)   mistakes with their line and a caret; jump(file, line, column) makes their places buttons
//   reload(done)             the button
//   tokenNeeded()            why nobody may save or roll back here, or ''
//   walk(root, selector, signal)  j and k go from one to the next
//   fresh(ms, load, signal)  loads now, and again; what fails later leaves what is shown, unless it is gone

import {api} from './api.js';
import {fill, h, icon} from './dom.js';
import {refreshService, service} from './frame.js';
import {keys} from './keys.js';
import {author, button, dialog, outcome, toast} from './parts.js';
import {again, href} from './router.js';
import {every, until} from './time.js';
import {number, t} from './words.js';

export const places = (at) => h('nav.tabs', {'aria-label': t('Rules')}, [
  ['/rules', t('All rules')], ['/file', t('File')], ['/history', t('History')], ['/suggest', t('Suggestions')],
].map(([p, label]) => h('a', {href: href(p), 'aria-current': p === at ? 'page' : null}, label)));

export const short = (version) => (version || '').slice(0, 7);

const modes = {enforce: ['good', () => t('enforce')], shadow: ['shadow', () => t('shadow')], off: ['off', () => t('off')]};

export function mode(rule) {
  if (rule.muted) return h('span.stack', outcome('muted', t('muted')), h('span.quiet', t('ends'), ' ', until(rule.muted.until)));
  const [kind, words] = modes[rule.mode] || ['off', () => rule.mode];
  return outcome(kind, words());
}

export function changes(c) {
  if (!c) return null;
  const kinds = [
    [t('Rules added'), c.rules.added], [t('Rules changed'), c.rules.changed], [t('Rules removed'), c.rules.removed],
    [t('Targets added'), c.targets.added], [t('Targets changed'), c.targets.changed], [t('Targets removed'), c.targets.removed],
    [t('Texts changed'), c.texts], [t('Also changed'), c.other],
  ].filter(([, names]) => names && names.length);
  if (!kinds.length) return h('p.quiet', t('No rule, target or text differs.'));
  return h('dl.facts', kinds.map(([kind, names]) => [h('dt', kind), h('dd', names.join(', '))]));
}

const lineKind = {'+': 'add', '-': 'del', '@': 'at'};

const mostLines = 2000; // a page with a line for each phrase of a long list would stand still

export function unified(text) {
  const lines = text.split('\n').filter((l) => !/^(diff |--- |\+\+\+ )/.test(l)), more = lines.length - mostLines;
  return h('pre.diff', {tabindex: 0, 'aria-label': t('Difference line by line')},
    lines.slice(0, mostLines).map((l) => h('span', {class: lineKind[l[0]] || ''}, l + '\n')),
    more > 0 ? h('span.at', t('and {n} more', {n: number(more)})) : null);
}

// between marks the lines that only one of two texts has, with three lines around them.
export function between(a, b) {
  const x = a.split('\n'), y = b.split('\n');
  let from = 0, end = 0;
  while (from < x.length && from < y.length && x[from] === y[from]) from++;
  while (end < x.length - from && end < y.length - from && x[x.length - 1 - end] === y[y.length - 1 - end]) end++;
  const lines = [...x.slice(0, from).map((l) => ' ' + l), ...middle(x.slice(from, x.length - end), y.slice(from, y.length - end)), ...x.slice(x.length - end).map((l) => ' ' + l)];
  const near = (i) => lines.slice(Math.max(0, i - 3), i + 4).some((l) => l[0] !== ' ');
  return lines.map((l, i) => (near(i) ? l : near(i - 1) ? '@ …' : null)).filter((l) => l !== null).join('\n');
}

// middle keeps the longest lines in common, where that is cheap to find.
function middle(x, y) {
  if (x.length * y.length > 4e6) return [...x.map((l) => '-' + l), ...y.map((l) => '+' + l)];
  const w = y.length + 1, best = new Uint32Array((x.length + 1) * w), out = [];
  for (let i = x.length - 1; i >= 0; i--) for (let j = y.length - 1; j >= 0; j--) {
    best[i * w + j] = x[i] === y[j] ? best[(i + 1) * w + j + 1] + 1 : Math.max(best[(i + 1) * w + j], best[i * w + j + 1]);
  }
  for (let i = 0, j = 0; i < x.length || j < y.length;) {
    if (i < x.length && j < y.length && x[i] === y[j]) { out.push(' ' + x[i]); i++; j++; }
    else if (j === y.length || (i < x.length && best[(i + 1) * w + j] >= best[i * w + j + 1])) out.push('-' + x[i++]);
    else out.push('+' + y[j++]);
  }
  return out;
}

// read takes a problem as an object, or as the line "rules.yaml:14:7: message".
function read(p) {
  if (typeof p !== 'string') return p;
  const [, file, line, column, message] = /^(.*?):(\d+):(\d+): (.*)$/s.exec(p) || [];
  return line ? {file, line: +line, column: +column, message} : {message: p};
}

const wide = /[\u1100-\u115f\u2e80-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u;

function excerpt(text, p) {
  const line = text && p.line ? text.split('\n')[p.line - 1] : '';
  if (!line || !p.column) return null;
  const before = [...line].slice(0, p.column - 1).map((c) => (c === '\t' ? c : wide.test(c) ? '\u3000' : ' ')).join('');
  return h('pre.caret', {tabindex: 0}, line + '\n' + before, h('b', '^'));
}

export function problems(list, files = {}, main = 'rules.yaml', {jump, kind = 'bad'} = {}) {
  return h('ul.problems', list.map(read).map((p) => {
    const file = p.file || main, place = p.line ? `${file}:${p.line}${p.column ? ':' + p.column : ''}` : '';
    return h('li', outcome(kind, p.message), place ? (jump ? h('button.link', {type: 'button', onclick: () => jump(file, p.line, p.column)}, place) : h('code.quiet', place)) : null,
      p.hint ? h('p.quiet', p.hint) : null, excerpt(files[file] || files[main], p));
  }));
}

export const onDisk = (signal) => api.get('/api/rules/file', {signal});

export function reload(done) {
  return button(t('Reload'), async () => {
    const before = (service.rules || {}).version;
    try {
      const {details} = await api.post('/api/reload', {by: author()});
      if (details.same) toast(t('The file has not changed.'));
      else {
        const diff = await api.get('/api/rules/diff', {query: {from: details.version_before || before, to: details.version}});
        dialog({title: t('In force: {version}', {version: short(details.version)}), wide: true, cancel: t('Close'), body: [changes(details), tests(details), unified(diff.diff)]});
      }
    } catch (e) {
      if (!e.body || !e.body.problems) throw e;
      await refused(e);
    }
    refreshService();
    await done();
  }, {icon: 'retry', title: t('Read the rule file now, and put it in force if it has no mistake')});
}

export const tests = (c) => h('p', outcome(c.tests_passed === c.tests ? 'good' : 'bad', t('{n} of {of} tests pass', {n: c.tests_passed, of: c.tests})));

// refused says why a file is not taken. The rules in force stay.
async function refused(e) {
  const file = await onDisk().catch(() => ({files: {}, main: 'rules.yaml'}));
  dialog({
    title: t('The file was refused'), wide: true, cancel: t('Close'),
    body: [h('p', e.message), h('p.quiet', t('The rules in force stay.')), problems(e.body.problems, file.files, file.main), h('p', h('a', {href: href('/file'), onclick: (event) => event.target.closest('dialog').close()}, t('Fix the file')))],
  });
}

export function tokenNeeded() {
  const setting = ((service.status || {}).settings || []).find((s) => s.name === 'ESCALATOR_ADMIN_TOKEN');
  return setting && setting.value === 'not set' ? t('Set ESCALATOR_ADMIN_TOKEN to change rules from here: without a token, whoever reaches this port could.') : '';
}

export const notice = (kind, ...words) => h('div.notice', {class: kind}, icon(kind === 'good' ? 'check' : 'warn'), h('div', words));

export function walk(root, selector, signal) {
  const step = (by) => () => {
    const all = [...root.querySelectorAll(selector)].filter((e) => e.checkVisibility()), at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + by))];
    if (next) { next.focus(); next.scrollIntoView({block: 'nearest'}); }
  };
  keys(signal, [['j', () => t('next'), step(1)], ['k', () => t('previous'), step(-1)]]);
}

// redraw fills an element and leaves the keyboard where it was, by data-key.
export function redraw(e, ...children) {
  const at = document.activeElement && e.contains(document.activeElement) ? document.activeElement.dataset.key : '';
  fill(e, ...children);
  const again = at && [...e.querySelectorAll('[data-key]')].find((x) => x.dataset.key === at);
  if (again) again.focus({preventScroll: true});
}

export async function fresh(ms, load, signal) {
  await load();
  let first = true;
  every(ms, () => { if (!first) load().catch((e) => { if (e.status === 404 && !signal.aborted) again(); }); first = false; }, signal);
}
