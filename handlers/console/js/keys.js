// The keyboard.
//
//   keys(signal, [['j', () => t('next line'), run], ['g l', () => t('Live'), run]])
//
// binds keys until the signal ends; a name is what KeyboardEvent.key says, a space joins two that follow each other.
// Nothing is heard while somebody types, but for Escape; nor with Ctrl, Alt or Meta, which are the browser's. `?` shows
// what is bound.

import {h} from './dom.js';
import {t} from './words.js';
import {dialog} from './parts.js';

const bound = new Set();
let first = '', firstAt = 0;

export function keys(signal, list) {
  for (const [name, label, run] of list) {
    const b = {name, label, run};
    bound.add(b);
    signal.addEventListener('abort', () => bound.delete(b));
  }
}

const typing = (e) => e.target.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]');

addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented || document.querySelector('dialog[open]')) return;
  if (typing(e)) {
    if (e.key === 'Escape') e.target.blur();
    return;
  }
  if ((e.key === ' ' || e.key === 'Enter') && e.target.closest('button, a, summary, [role=button]')) return; // they have their own
  const pair = Date.now() - firstAt < 1500 ? `${first} ${e.key}` : '';
  first = '';
  const all = [...bound].reverse(); // a view's own go before the frame's
  const hit = all.find((b) => b.name === pair) || all.find((b) => b.name === e.key);
  if (hit) {
    e.preventDefault();
    hit.run(e);
  } else if (all.some((b) => b.name.startsWith(e.key + ' '))) {
    [first, firstAt] = [e.key, Date.now()];
  }
});

const shown = {' ': () => t('Space'), Enter: () => 'Enter', Escape: () => 'Esc', ArrowUp: () => '↑', ArrowDown: () => '↓'};

export function help() {
  const rows = [...bound].filter((b) => b.label).map((b) => h('div', h('dt', (b.name === ' ' ? [b.name] : b.name.split(' ')).map((k) => h('kbd', shown[k] ? shown[k]() : k))), h('dd', b.label())));
  return dialog({title: t('Keyboard'), body: h('dl.keys', rows), cancel: t('Close')});
}
