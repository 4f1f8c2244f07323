// The rule file: written here, checked by the service while one types, saved with author and reason.
//
// What is written stays when one goes to another view, and when somebody else changes the file meanwhile: nothing of it is
// lost until it is saved or thrown away by its own button.

import {api} from '../api.js';
import {fill, h} from '../dom.js';
import {editor} from '../editor.js';
import {refreshService} from '../frame.js';
import {askWho, button, copy, dialog, field, outcome, say, toast} from '../parts.js';
import {query, setQuery} from '../router.js';
import {between, changes, notice, onDisk, places, problems, reload, short, tests, tokenNeeded, unified} from '../steer.js';
import {every} from '../time.js';
import {t} from '../words.js';

export const title = () => t('Rule file');

// mine is what is being written: from is the version that it began with, files the texts that differ from it.
let mine = null;

const changed = () => Boolean(mine) && Object.keys(mine.files).length > 0;
addEventListener('beforeunload', (e) => { if (changed()) e.preventDefault(); });

// A text field has line ends of its own: what is written gets those of the file, so that no line is changed that was not
// touched.
const inField = (text) => text.replace(/\r\n?/g, '\n');
const asIn = (file, text) => (inField(file) === text ? file : file.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text);

export async function render(root, params, signal) {
  let disk = await onDisk(signal), name = disk.main, answer = null, ran = null, asking = new AbortController(), timer = 0;
  if (!changed() || mine.from === disk.version) mine = {from: disk.version, was: disk.files, files: mine ? mine.files : {}};
  if (Object.hasOwn(disk.files, query().file)) name = query().file;

  const verdict = h('div', {id: 'check-says', 'aria-live': 'polite'}), said = h('div.stack'), tested = h('div.stack'), differs = h('div.stack'), above = h('div.stack'), state = h('span.quiet');
  const textOf = (n) => mine.files[n] ?? disk.files[n] ?? '';
  const why = disk.writable ? tokenNeeded() : disk.why_not || t('The service cannot write it.');
  const text = editor({label: t('Text of the rule file'), value: textOf(name), readonly: Boolean(why), describedby: 'check-says', input: () => {
    mine.files[name] = asIn(mine.was[name] || '', text.value);
    if (mine.files[name] === mine.was[name]) delete mine.files[name];
    draw();
    soon(350);
  }});
  const jump = (file, line, column) => { show(file); text.jump(line, column); };
  const show = (file) => {
    if (file === name || !(Object.hasOwn(disk.files, file) || Object.hasOwn(mine.files, file))) return;
    name = which.value = file;
    text.value = textOf(name);
    setQuery({file: name === disk.main ? '' : name});
    marks();
  };
  const which = h('select', {'aria-label': t('File'), onchange: () => show(which.value)});
  const save = button(t('Save…'), () => keep(), {kind: 'primary', title: 'Ctrl+S'}), drop = button(t('Discard my changes'), () => throwAway());

  function draw() {
    fill(state, changed() ? outcome('warn', t('changed, not saved')) : disk.in_force ? outcome('good', t('in force: {version}', {version: short(disk.version)})) : outcome('bad', t('on disk, not in force: {version}', {version: short(disk.version)})));
    save.disabled = Boolean(why) || !changed() || (answer && !answer.ok) || (ran && ran.failed > 0);
    drop.hidden = !changed();
    const names = [...new Set([...Object.keys(disk.files), ...Object.keys(mine ? mine.files : {})])];
    if (names.join('\n') !== [...which.options].map((o) => o.value).join('\n')) fill(which, names.map((f) => h('option', {value: f}, f)));
    which.value = name;
    which.hidden = names.length < 2;
  }

  function marks() {
    const all = answer ? [...answer.errors.map((p) => ['bad', p]), ...answer.warnings.map((p) => ['warn', p])] : [], failed = ran ? ran.tests.filter((r) => !r.ok).map((r) => ['bad', {...r, message: r.message}]) : [];
    text.mark([...all, ...failed].filter(([, p]) => (p.file || disk.main) === name).map(([kind, p]) => ({kind, line: p.line, words: p.message + (p.hint ? ` (${p.hint})` : '')})));
  }

  function soon(ms) {
    clearTimeout(timer);
    asking.abort();
    timer = setTimeout(check, ms);
  }
  signal.addEventListener('abort', () => { clearTimeout(timer); asking.abort(); });

  // check asks the service; what is typed meanwhile makes it ask again.
  async function check() {
    asking = new AbortController();
    const with_ = {signal: asking.signal}, body = {files: mine.files}, files = {...disk.files, ...mine.files};
    try {
      answer = await api.post('/api/check', body, with_);
      ran = null;
      marks();
      draw();
      fill(verdict, answer.errors.length ? outcome('bad', answer.errors.length === 1 ? t('1 mistake') : t('{n} mistakes', {n: answer.errors.length})) : outcome('good', t('No mistake')));
      fill(said, problems(answer.errors, files, disk.main, {jump}), problems(answer.warnings, files, disk.main, {jump, kind: 'warn'}));
      const d = answer.difference;
      fill(differs, d && d.diff ? [changes(d.change), unified(d.diff)] : h('p.quiet', t('Nothing differs from the rules in force.')));
      if (!answer.errors.length) ran = await api.post('/api/test', body, with_);
      const failed = ran ? ran.tests.filter((r) => !r.ok) : [];
      fill(tested, ran ? [tests({tests_passed: ran.passed, tests: ran.passed + ran.failed}), failed.length ? h('p', t('It is not put in force while a test fails.')) : null, problems(failed.map((r) => ({...r, message: `${r.name}: ${r.message}`})), {}, disk.main, {jump})] : h('p.quiet', t('They run when the file has no mistake.')));
      marks();
      draw();
    } catch (e) {
      if (e.name === 'AbortError') return;
      fill(verdict, outcome('bad', say(e)), button(t('Check again'), check));
      fill(said);
    }
  }

  async function keep() {
    const saved = await askWho({
      title: t('Save and put in force'), confirm: t('Save and put in force'), wide: true,
      body: [answer && changes(answer.difference && answer.difference.change), ran && tests({tests_passed: ran.passed, tests: ran.passed + ran.failed}), answer && answer.difference && h('details', h('summary', t('Line by line')), unified(answer.difference.diff))],
      submit: async ({by, why: reason}) => {
        try {
          const r = await api.put('/api/rules/file', {files: mine.files, by, why: reason, run_tests: true}, {headers: {'If-Match': `"${mine.from}"`}});
          mine = null;
          toast(t('In force: {version}', {version: short(r.version)}));
        } catch (e) {
          if (e.status === 412) return clash();
          if (e.body && e.body.problems) {
            fill(verdict, outcome('bad', e.message));
            fill(said, problems(e.body.problems, {...disk.files, ...mine.files}, disk.main, {jump}));
          }
          throw e;
        }
        return undefined;
      },
    });
    if (!saved || mine) return;
    refreshService();
    await again();
  }

  // again takes the file as it is now.
  async function again() {
    disk = await onDisk(signal);
    if (!changed()) mine = {from: disk.version, was: disk.files, files: {}};
    fill(above);
    if (!(name in disk.files)) name = disk.main;
    const y = text.area.scrollTop;
    text.value = textOf(name);
    text.area.scrollTop = y;
    draw();
    await check();
  }

  // clash shows both sides when the file is not what the text began with.
  async function clash() {
    disk = await onDisk(signal);
    const last = ((await api.get('/api/rules/history', {signal}).catch(() => ({}))).versions || []).find((v) => v.version === disk.version);
    const files = Object.keys(mine.files).filter((f) => mine.files[f] !== disk.files[f]);
    if (!files.length) { mine = null; return again(); } // it says the same: the answer to our save was lost
    fill(above, notice('bad',
      h('b', t('The file changed under you: {version} is on disk now.', {version: short(disk.version)})), last && last.by ? h('p', t('By {by}: {why}', {by: last.by, why: last.why || '—'})) : null,
      h('p', t('Nothing was overwritten, and nothing of yours is lost. Lines with - are on disk, those with + are yours.')),
      files.map((f) => [files.length > 1 ? h('code', f) : null, unified(between(disk.files[f] || '', mine.files[f]))]),
      h('div.row',
        button(t('Go on with mine: saving will replace theirs'), () => { mine = {from: disk.version, was: disk.files, files: mine.files}; fill(above); draw(); soon(0); }),
        button(t('Take theirs, and copy mine'), async () => { const aside = mine.files[name] ?? text.value; await copy(aside); mine = null; await again(); setAside(aside); }))));
    above.firstChild.setAttribute('role', 'alert');
    above.scrollIntoView({block: 'nearest'});
    draw();
  }

  function setAside(words) {
    fill(above, h('details.card', h('summary', t('Your text, set aside')), field(t('Your text, set aside'), h('textarea.code', {readonly: true, rows: 12, value: words}))));
  }

  async function throwAway() {
    if (await dialog({title: t('Discard my changes'), body: h('p', t('The text becomes what is on disk.')), confirm: t('Discard my changes'), danger: true})) {
      mine = null;
      await again();
    }
  }

  fill(root, h('div.head', h('h1', title()), state, h('div.row.push', which, reload(again))), places('/file'),
    why ? notice('warn', h('b', t('Read only.')), ' ', why) : null, above,
    h('div.columns.file', h('section.card.stack', text.element, h('div.row', h('span.quiet.push', t('Tab leaves the text')), drop, save)),
      h('div.stack.wide', h('section.card.stack', h('h2', t('Check')), verdict, said), h('section.card.stack', h('h2', t('Tests')), tested), h('section.card.stack', h('h2', t('Against the rules in force')), differs))));
  draw();
  text.area.addEventListener('keydown', (e) => {
    if (e.key !== 's' || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    if (!save.disabled) save.click();
  });
  if (query().line) text.jump(Number(query().line));
  if (changed() && mine.from !== disk.version) await clash();
  check();
  every(10_000, async () => {
    const now = await api.get('/api/rules/file', {signal}).catch(() => null);
    if (!now || now.version === disk.version) return;
    await (changed() ? clash() : again()).catch(() => {}); // it is tried again
  }, signal);
}
