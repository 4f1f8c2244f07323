// A list of any length: only the rows that can be seen are in the page, which itself scrolls.
//
//   const list = virtual(box, {rows, key(row), draw(row, i), end(), signal})
//   list.update()      after rows (an array, which the caller changes) was changed
//   list.renew(row)    after one row was changed
//   list.show(i)       scrolls so that row i can be seen
//
// All rows are as high as --row of the box says, so that nothing has to be measured. end is called when the last rows
// come near.

import {h} from './dom.js';

export function virtual(box, {rows, key, draw, end, signal}) {
  const drawn = new Map();
  let height = 0, queued = 0;
  const measure = () => { height = parseFloat(getComputedStyle(box).getPropertyValue('--row')); };
  const top = () => box.getBoundingClientRect().top + scrollY;

  function paint() {
    queued = 0;
    if (signal.aborted) return;
    const seen = scrollY - top(), from = Math.max(0, Math.floor(seen / height) - 8), to = Math.min(rows.length, Math.ceil((seen + innerHeight) / height) + 8);
    box.style.setProperty('height', rows.length * height + 'px');
    const wanted = new Map();
    for (let i = from; i < to; i++) wanted.set(key(rows[i]), i);
    for (const [k, e] of drawn) if (!wanted.has(k)) { e.remove(); drawn.delete(k); }
    let before = null;
    for (const [k, i] of wanted) {
      let e = drawn.get(k);
      if (!e) {
        e = h('div', {role: 'listitem'}, draw(rows[i], i));
        drawn.set(k, e);
        if (before) before.after(e); else box.prepend(e); // in reading order
      }
      e.style.setProperty('transform', `translateY(${i * height}px)`);
      before = e;
    }
    if (to > rows.length - 20) end();
  }
  const update = () => { if (!queued) queued = requestAnimationFrame(paint); };
  addEventListener('scroll', update, {passive: true, signal});
  addEventListener('resize', () => { measure(); update(); }, {signal});
  measure();
  update();
  return {
    update,
    paint,
    renew(row) {
      const k = key(row), e = drawn.get(k);
      if (!e) return;
      const focused = e.contains(document.activeElement) && [...e.querySelectorAll('a, button')].indexOf(document.activeElement);
      e.replaceChildren(draw(row));
      if (focused !== false && focused >= 0) e.querySelectorAll('a, button')[focused]?.focus({preventScroll: true});
    },
    show(i) {
      const y = top() + i * height, bar = document.getElementById('bar').offsetHeight + 8;
      if (y < scrollY + bar) scrollTo(0, Math.max(0, y - bar));
      else if (y + height > scrollY + innerHeight) scrollTo(0, y + height - innerHeight + 8);
      paint();
    },
  };
}
