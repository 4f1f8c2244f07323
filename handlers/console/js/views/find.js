// Find a conversation: by its name, or among the last that were decided about.

import {api} from '../api.js';
import {fill, h, icon} from '../dom.js';
import {keys} from '../keys.js';
import {empty, failed, id, loading, outcome, plain} from '../parts.js';
import {go, href} from '../router.js';
import {age} from '../time.js';
import {kind, kindWords, said} from '../told.js';
import {t} from '../words.js';

export const title = () => t('Conversation');

export async function render(root, params, signal) {
  const name = h('input', {type: 'search', 'aria-label': t('Session, as the log names it'), placeholder: t('Session, as the log names it')}), list = h('div', loading());
  root.append(h('h1', title()), h('form.row', {onsubmit: (e) => { e.preventDefault(); if (name.value.trim()) go(href('/c/' + encodeURIComponent(name.value.trim()))); }},
    h('span.search.long', icon('search'), name), h('button.button.primary', t('Open'))), h('section.stack', h('h2', t('Recent conversations')), list));
  keys(signal, [['/', () => t('filter'), () => name.select()]]);
  if (matchMedia('(pointer: fine)').matches) name.focus({preventScroll: true});
  try {
    const {decisions} = await api.get('/api/decisions', {query: {n: 200}, signal}), seen = new Map();
    for (const d of decisions) if (!seen.has(d.session)) seen.set(d.session, d);
    fill(list, seen.size ? h('ul.card.found', [...seen.values()].slice(0, 40).map((d) => h('li', h('a', {href: href('/c/' + encodeURIComponent(d.session))}, h('span.clip', plain(d.session))), outcome(kind(d), kindWords(kind(d))), h('span.clip', said(d)), d.user ? id(d.user, 16) : h('span'), h('span.quiet', age(d.at)))))
      : empty(t('No decision yet'), h('a', {href: href('/try')}, t('Try one'))));
  } catch (e) {
    if (e.name !== 'AbortError') fill(list, failed(e));
  }
}
