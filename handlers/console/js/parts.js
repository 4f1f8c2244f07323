// The parts that pages are made of. Each is a function that returns an element.
//
//   id(text)                         an identifier, shortened in the middle; a click copies it
//   plain(text)                      an identifier with what cannot be seen made visible
//   outcome(name, words)             a state: picture, word, colour (transfer, offer, suppressed, near, …, good, bad, warn)
//   spark(numbers, {label, width})   a sparkline
//   meter(value, of, label)          misses 2 of 3
//   table(columns, rows, {row, caption})   columns: {head, cell(row), class}; becomes cards where it is narrow
//   chips(options, chosen, change)   filters; options {name, label, kind}; chosen a Set of names; change(Set)
//   segments(label, options, value, change)   one of a few: options {value, label}
//   button(label, run, {icon, kind, key}) kind: primary, danger, quiet; it waits while run does, and shows what went wrong
//   field(label, control, hint)      a control with its label
//   loading(), empty(title, ...more), failed(error, again)
//   toast(text, {kind, action: [label, run]})
//   await dialog({title, body, confirm, danger, cancel, submit})   true when submit (if given) went well; false when left
//   await askWho({title, body, confirm, danger, why, submit})      as dialog, asks for author and reason; submit({by, why})
//   copy(text), author()
//   say(error)                       what went wrong, in words

import {fill, h, icon} from './dom.js';
import {t} from './words.js';

const kept = {
  get: (name) => { try { return localStorage.getItem('escalator.' + name) || ''; } catch { return ''; } },
  set: (name, value) => { try { localStorage.setItem('escalator.' + name, value); } catch { /* not kept */ } },
};

export const say = (e) => (e.status === 0 ? t('Escalator cannot be reached.') : e.status === 200 ? t('What answered is not Escalator: perhaps a proxy in between, or its sign-in page.') : e.message || String(e));

// What cannot be seen in an identifier, or turns it round, would let one look like another.
export const plain = (s) => s.replace(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu, (c) => (' \u3000\u200d'.includes(c) ? c : `‹${c.codePointAt(0).toString(16).toUpperCase()}›`));

const middle = (s, n) => { const c = [...s]; return c.length <= n ? s : c.slice(0, Math.ceil(n / 2) - 1).join('') + '…' + c.slice(1 - Math.floor(n / 2)).join(''); };

export async function copy(text) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not over plain http
    const area = h('textarea.offscreen', {value: text, 'aria-hidden': 'true'});
    (document.querySelector('dialog[open]') || document.body).append(area);
    area.select();
    copied = document.execCommand('copy');
    area.remove();
  }
  if (copied) toast(t('Copied'));
  else toast(t('The browser did not copy it.'), {kind: 'bad'});
}

export const id = (text, n = 20) => h('button.id', {
  type: 'button', title: t('Copy {text}', {text}),
  onclick: (e) => { e.stopPropagation(); copy(text); },
}, middle(plain(text), n));

export const outcome = (kind, words) => h('span.outcome.' + kind, icon(marks[kind] || kind), h('span', words));
const marks = {good: 'check', bad: 'cross', waiting: 'clock', muted: 'suppressed', off: 'none'};

export function spark(values, {label, width = 120, height = 28} = {}) {
  const n = Math.max(values.length - 1, 1), top = Math.max(1, ...values), x = (i) => (i / n) * width, y = (v) => height - 2 - (v / top) * (height - 4);
  const points = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
  return h('svg.spark', {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${label}: ${values.join(' ')}`},
    h('polygon', {points: `0,${height} ${points} ${width},${height}`}), h('polyline', {points}));
}

export function meter(value, of, label) {
  const words = of ? t('{n} of {of}', {n: value, of}) : String(value);
  return h('div.meter', h('span.quiet', label), h('span', words),
    of ? h('span.track', {'aria-hidden': 'true'}, h('span', {class: value >= of ? 'full' : '', style: {width: Math.min(100, (value / of) * 100) + '%'}})) : null);
}

export function table(columns, rows, {row, caption} = {}) {
  return h('table.cards', caption ? h('caption.offscreen', caption) : null,
    h('thead', h('tr', columns.map((c) => h('th', {scope: 'col', class: c.class}, c.head)))),
    h('tbody', rows.map((r) => h('tr', row ? row(r) : {}, columns.map((c) => h('td', {class: c.class, data: {head: c.head}}, c.cell(r)))))));
}

export function chips(options, chosen, change) {
  return h('div.chips', {role: 'group'}, options.map((o) => h('button.chip', {
    type: 'button', 'aria-pressed': String(chosen.has(o.name)), title: o.title,
    onclick: (e) => {
      const on = !chosen.delete(o.name) && !!chosen.add(o.name);
      e.currentTarget.setAttribute('aria-pressed', String(on));
      change(chosen);
    },
  }, o.kind ? outcome(o.kind, o.label) : o.label)));
}

export function segments(label, options, value, change) {
  const box = h('div.segments', {role: 'group', 'aria-label': label});
  const draw = (v) => fill(box, options.map((o) => h('button', {type: 'button', 'aria-pressed': String(o.value === v), onclick: () => {
    draw(o.value);
    box.querySelector('[aria-pressed=true]').focus();
    change(o.value);
  }}, o.label)));
  draw(value);
  return box;
}

export function button(label, run, {icon: picture, kind = '', title, key} = {}) {
  return h('button.button', {type: 'button', class: kind, title, data: key ? {key} : {}, 'aria-label': kind.includes('bare') ? label : null, onclick: async (e) => {
    const b = e.currentTarget;
    if (b.ariaBusy === 'true') return;
    b.ariaBusy = 'true'; // disabled, it would lose the keyboard, and a dialog could not give it back
    try {
      await run(e);
    } catch (error) {
      if (error.name !== 'AbortError' && error.status !== 401) toast(say(error), {kind: 'bad'}); // who is refused signs in (main.js)
    }
    b.ariaBusy = null;
  }}, picture ? icon(picture) : null, kind.includes('bare') ? null : label);
}

export const field = (label, control, hint) => h('label.field', h('span', label), control, hint ? h('span.quiet', hint) : null);

export const loading = () => h('div.state', {'aria-busy': 'true'}, h('span.spinner'), t('Loading…'));
export const empty = (title, ...more) => h('div.state', h('b', title), h('div', more));
export const failed = (error, again) => h('div.state', {role: 'alert'}, h('b', outcome('bad', t('This cannot be shown'))), h('p', say(error)), again ? button(t('Try again'), again) : null);

export function toast(words, {kind = '', action} = {}) {
  const box = document.getElementById('toasts');
  const e = h('div.toast', {class: kind}, kind === 'bad' ? outcome('bad', words) : words,
    action ? button(action[0], () => { e.remove(); return action[1](); }, {kind: 'quiet'}) : null,
    button(t('Close'), () => e.remove(), {icon: 'cross', kind: 'quiet bare'}));
  box.append(e);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(() => e.remove(), kind === 'bad' || action ? 12_000 : 2500);
}

export function dialog({title, body, confirm, danger, cancel = t('Cancel'), submit, wide}) {
  return new Promise((done) => {
    const wrong = h('p.wrong', {role: 'alert', hidden: true});
    const go = confirm ? h('button.button', {type: 'submit', class: danger ? 'danger' : 'primary'}, confirm) : null;
    const form = h('form', {onsubmit: async (e) => {
      e.preventDefault();
      if (go.ariaBusy === 'true') return;
      go.ariaBusy = 'true';
      wrong.hidden = true;
      try {
        if (submit) await submit();
        box.returnValue = 'yes';
        box.close('yes');
      } catch (error) {
        fill(wrong, outcome('bad', say(error)));
        wrong.hidden = false;
        go.ariaBusy = null;
      }
    }}, h('h2', {id: 'dialog-title'}, title), h('div.dialog-body', body), wrong,
    h('div.actions', h('button.button', {type: 'button', onclick: () => box.close('no')}, cancel), go));
    const box = h('dialog', {class: wide ? 'wide' : '', 'aria-labelledby': 'dialog-title', onclose: () => { box.remove(); done(box.returnValue === 'yes'); }}, form);
    document.body.append(box);
    box.showModal();
    const first = box.querySelector('input:not([value]), textarea, select');
    if (first) first.focus();
  });
}

export const author = () => kept.get('author');

export function askWho({body, why = true, submit, ...rest}) {
  const by = h('input', {required: true, maxlength: 40, autocomplete: 'name', value: author()}), reason = h('input', {required: true, maxlength: 300});
  return dialog({...rest, body: [body, field(t('Your name'), by), why ? field(t('Reason'), reason, t('Both are written to the log.')) : null], submit: () => {
    kept.set('author', by.value);
    return submit({by: by.value, why: reason.value});
  }});
}
