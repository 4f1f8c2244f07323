// A text field for code: line numbers, and marks at lines.
//
//   const e = editor({label, value, readonly, input});  e.element; e.value (get, set)
//   e.mark([{line, kind: 'bad' | 'warn', words}])       colours these lines
//   e.jump(line, column)                                puts the cursor there and shows it
//
// The field is a plain textarea, so the keyboard, undo and screen readers work as everywhere; Tab leaves it. Numbers and
// marks lie beside and behind it and follow when it scrolls; a line is 20 px high in both.

import {fill, h, icon} from './dom.js';

const lineHeight = 20, above = 8;

export function editor({label, value = '', readonly, input, describedby}) {
  const area = h('textarea.code', {value, readonly, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', wrap: 'off', 'aria-label': label, 'aria-describedby': describedby});
  const numbers = h('pre.numbers'), signs = h('div.signs'), bands = h('div.bands'), status = h('div.editor-line');
  const moved = h('div.follow', numbers, signs), behind = h('div.follow', bands);
  let marks = [], count = 0;
  const follow = () => { for (const e of [moved, behind]) e.style.setProperty('transform', `translateY(${-area.scrollTop}px)`); };
  const number = () => {
    const n = area.value.split('\n').length;
    if (n === count) return;
    count = n;
    numbers.textContent = Array.from({length: n}, (_, i) => i + 1).join('\n');
  };
  const here = () => {
    const line = area.value.slice(0, area.selectionStart).split('\n').length, mine = marks.filter((m) => m.line === line);
    fill(status, mine.map((m) => [icon(m.kind === 'bad' ? 'cross' : 'warn'), h('span', m.words)]));
    status.className = 'editor-line ' + (mine[0] ? mine[0].kind : '');
  };
  area.addEventListener('input', () => { number(); here(); if (input) input(); });
  area.addEventListener('scroll', follow);
  for (const e of ['keyup', 'click', 'focus']) area.addEventListener(e, here);
  number();
  return {
    element: h('div.editor', h('div.code-box', h('div.gutter', {'aria-hidden': 'true'}, moved), h('div.code-area', behind, area)), status),
    area,
    get value() { return area.value; },
    set value(v) { area.value = v; number(); follow(); },
    mark(list) {
      marks = list.filter((m) => m.line);
      const top = (m) => ({top: `${above + (m.line - 1) * lineHeight}px`});
      fill(bands, marks.map((m) => h('div', {class: m.kind, style: top(m)})));
      fill(signs, marks.map((m) => h('div', {class: m.kind, style: top(m), title: m.words}, icon(m.kind === 'bad' ? 'cross' : 'warn'))));
      here();
    },
    jump(line, column = 1) {
      const lines = area.value.split('\n'), at = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + [...(lines[line - 1] || '')].slice(0, column - 1).join('').length;
      area.focus();
      area.setSelectionRange(at, at);
      area.scrollTop = Math.max(0, (line - 6) * lineHeight);
      follow();
      here();
    },
  };
}
