// Phrases that would have caught what was missed, each with what it would catch and what it would break.

import {api} from '../api.js';
import {fill, h} from '../dom.js';
import {button, copy, empty, failed, segments} from '../parts.js';
import {href, query, setQuery} from '../router.js';
import {notice, places} from '../steer.js';
import {number, t} from '../words.js';

export const title = () => t('Suggestions');

const kinds = {phrase: () => t('phrase'), word: () => t('word')};

export async function render(root, params, signal) {
  const box = h('div.stack.wide'), times = ['1h', '24h', '72h'], spoken = {'1h': t('1 hour'), '24h': t('1 day'), '72h': t('3 days')};
  const since = times.includes(query().since) ? query().since : '24h';
  let asking = new AbortController(); // of what was chosen last: an answer that comes late is not shown
  signal.addEventListener('abort', () => asking.abort());
  const load = (time) => read(time).catch((e) => { if (e.name !== 'AbortError') fill(box, failed(e, () => load(time))); });
  const read = async (time) => {
    asking.abort();
    asking = new AbortController();
    setQuery({since: time === '24h' ? '' : time});
    fill(box, h('p.quiet', t('Reading what is kept…')));
    const s = await api.get('/api/suggest', {query: {since: time, n: 10}, signal: asking.signal});
    const {conversations = 0, calls = 0, missed = 0} = s.from || {};
    fill(box, h('p.quiet', t('From {conversations} conversations with {calls} calls for a person; {missed} were missed.', {conversations: number(conversations), calls: number(calls), missed: number(missed)})),
      s.whole === false ? notice('warn', t('Not all of that time could be read.')) : null,
      s.suggestions && s.suggestions.length ? h('div.grid', s.suggestions.map(card)) : empty(t('Nothing to suggest.'), t('Label what is right and wrong in Live: missed requests are what this learns from.')));
  };
  root.append(h('div.head', h('h1', title()), h('div.row.push', segments(t('Of the last'), times.map((v) => ({value: v, label: spoken[v]})), since, load))), places('/suggest'), box);
  await load(since);
}

function card(s) {
  const words = s.words ? s.words.join(' · ') : s.phrase;
  return h('section.card.stack', h('div.head', h('h2', words), h('span.tag', (kinds[s.kind] || (() => s.kind))()), s.role ? h('code.quiet', s.role) : null, s.lang ? h('span.quiet', s.lang) : null),
    h('dl.facts', h('dt', t('Would catch')), h('dd', number(s.catches)), h('dt', t('False alarms')), h('dd', {class: s.false_alarms ? 'wrong' : ''}, number(s.false_alarms))),
    s.examples && s.examples.length ? h('ul.bullets', s.examples.map((e) => h('li', typeof e === 'string' ? e : e.text))) : null,
    h('pre', s.yaml), h('div.row', button(t('Copy the line'), () => copy(s.yaml), {icon: 'copy'}), h('a.button', {href: href('/file')}, t('Open the file'))));
}
