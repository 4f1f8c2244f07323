// The languages. English is written where it is used, and is the key of ../zh.json:
//
//   t('{n} new', {n: 27})             a text
//   tr('found {what}', {what: node})  an array of texts and nodes, for h and fill
//   lang()                            'en' or 'zh'
//   setLang(lang)                     keeps it; resolves when its words are there
//   number(n), percent(x)             as the language writes them
//
// A Go test finds every t('…') and tr('…') of the scripts in zh.json, and nothing else there: so the first argument is
// always a literal in single quotes.

let words = {};
let current = 'en';
let numbers = new Intl.NumberFormat('en');

export const lang = () => current;

export function preferred() {
  let kept = '';
  try { kept = localStorage.getItem('escalator.lang') || ''; } catch { /* nothing is kept */ }
  return kept || (/^zh\b/i.test(navigator.language) ? 'zh' : 'en');
}

export async function setLang(l, keep) {
  if (l === 'zh' && !words.zh) words.zh = await (await fetch(new URL('../zh.json', import.meta.url))).json();
  current = l;
  numbers = new Intl.NumberFormat(l);
  document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en';
  if (keep) try { localStorage.setItem('escalator.lang', l); } catch { /* for this page only */ }
}

const hole = /\{(\w+)\}/g;
const line = (key) => (current === 'zh' && words.zh[key]) || key;

export const t = (key, values = {}) => line(key).replace(hole, (whole, name) => (name in values ? values[name] : whole));

export const tr = (key, values) => line(key).split(hole).map((part, i) => (i % 2 ? values[part] : part));

export const number = (n) => numbers.format(n);
export const percent = (x) => (x * 100 < 10 && x > 0 ? (x * 100).toFixed(1) : Math.round(x * 100)) + '%';
