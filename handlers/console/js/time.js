// Times: local, with the whole date on hover.
//
//   clock(at)         12:04:31, with the day when it is not today
//   age(at)           3 min ago; it ticks. until(at): in 40 s. lasting(at): 3 min
//   took(ms)          0.4 s
//   span(seconds)     40 s, 5 min, 2 h, 3 d
//   zoned(at)         RFC 3339 with the reader's offset, so that the service's words name the reader's time
//   every(ms, f, signal)   calls f at once and then again, but not while nobody looks at the page

import {h} from './dom.js';
import {lang, t} from './words.js';

const two = (n) => String(n).padStart(2, '0');
const day = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;

export const whole = (at) => new Date(at).toLocaleString(lang() === 'zh' ? 'zh-CN' : 'en-GB', {dateStyle: 'full', timeStyle: 'long'});

export function clockText(at) {
  const d = new Date(at), hours = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return day(d) === day(new Date()) ? hours : `${day(d).slice(d.getFullYear() === new Date().getFullYear() ? 5 : 0)} ${hours}`;
}

export function zoned(at) {
  const d = new Date(at), off = -d.getTimezoneOffset(), m = Math.abs(off);
  return new Date(+d + off * 60_000).toISOString().replace('Z', (off < 0 ? '-' : '+') + two(Math.floor(m / 60)) + ':' + two(m % 60));
}

export const clock = (at) => h('time', {datetime: at, title: whole(at)}, clockText(at));

export function span(s) {
  if (s < 60) return t('{n} s', {n: Math.round(s)});
  if (s < 3600) return t('{n} min', {n: Math.round(s / 60)});
  if (s < 48 * 3600) return t('{n} h', {n: s < 10 * 3600 && s % 3600 >= 360 ? (s / 3600).toFixed(1) : Math.round(s / 3600)});
  return t('{n} d', {n: Math.round(s / 86400)});
}

export const took = (ms) => (ms < 1000 ? t('{n} ms', {n: Math.round(ms)}) : ms < 60_000 ? t('{n} s', {n: (ms / 1000).toFixed(1)}) : span(ms / 1000));

function ageText(e) {
  const s = (Date.now() - new Date(e.dateTime)) / 1000;
  if (e.dataset.age === 'until') return s >= 0 ? t('now') : t('in {span}', {span: span(-s)});
  if (e.dataset.age === 'lasting') return span(Math.max(0, s));
  return s < 2 ? t('just now') : t('{span} ago', {span: span(s)});
}

function ticking(at, kind) {
  const e = h('time', {datetime: at, title: whole(at), data: {age: kind}});
  e.textContent = ageText(e);
  return e;
}
export const age = (at) => ticking(at, 'since');
export const until = (at) => ticking(at, 'until');
export const lasting = (at) => ticking(at, 'lasting');

setInterval(() => {
  if (document.hidden) return;
  for (const e of document.querySelectorAll('time[data-age]')) {
    const text = ageText(e);
    if (e.textContent !== text) e.textContent = text;
  }
}, 1000);

export function every(ms, f, signal) {
  let due = 0;
  const tick = () => { // by a clock that nobody sets
    if (document.hidden || performance.now() < due) return;
    due = performance.now() + ms;
    f();
  };
  const timer = setInterval(tick, Math.min(ms, 1000));
  document.addEventListener('visibilitychange', tick, {signal});
  signal.addEventListener('abort', () => clearInterval(timer));
  tick();
}
