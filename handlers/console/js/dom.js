// The view layer: elements are made by a function, and nothing else makes them.
//
//   h('p.quiet', 'said by ', h('b', name))            tag with classes, children
//   h('button', {onclick: f, disabled: true}, 'Go')   properties: on… are listeners; true, false, null switch an
//                                                     attribute; class adds; style is {name: value}; data is {name: value}
//   fill(element, ...children)                        replaces what an element holds
//   icon('check')                                     a picture of icons below, hidden from screen readers
//
// Children are nodes, texts, numbers, arrays of these; null, undefined and false are left out. A text becomes a text
// node, never markup: words of customers may be passed as they are. Styles go through the CSSOM, which the
// Content-Security-Policy allows, where an attribute would be refused.

const SVG = 'http://www.w3.org/2000/svg';
const drawn = new Set(['svg', 'path', 'g', 'rect', 'circle', 'line', 'polyline', 'polygon', 'title:svg']);

export function h(tag, ...rest) {
  const [name, ...classes] = tag.split('.');
  const e = drawn.has(name) ? document.createElementNS(SVG, name.split(':')[0]) : document.createElement(name);
  if (classes.length) e.setAttribute('class', classes.join(' '));
  if (isProps(rest[0])) for (const [k, v] of Object.entries(rest.shift())) set(e, k, v);
  add(e, rest);
  return e;
}

const isProps = (x) => x !== null && typeof x === 'object' && !(x instanceof Node) && !Array.isArray(x);

function set(e, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
  else if (name === 'class') e.classList.add(...value.split(' ').filter(Boolean));
  else if (name === 'style') for (const [k, v] of Object.entries(value)) e.style.setProperty(k, v);
  else if (name === 'data') Object.assign(e.dataset, value);
  else if (name === 'value' || name === 'checked' || name === 'selected') e[name] = value;
  else e.setAttribute(name, value === true ? '' : value);
}

function add(e, children) {
  for (const c of children) {
    if (Array.isArray(c)) add(e, c);
    else if (c !== null && c !== undefined && c !== false) e.append(c instanceof Node ? c : String(c));
  }
}

export function fill(e, ...children) {
  e.replaceChildren();
  add(e, children);
  return e;
}

// Strokes on a grid of 16.
const icons = {
  transfer: 'M2.5 8h10M9 4.5 12.5 8 9 11.5', offer: 'M3 3.5h10v7H8l-3 2.5v-2.5H3zM8 5.5v2M8 9v.1', keep: 'M5.5 12.5h5M8 3v1.5M3.5 4.5h9v6h-9zM6 7v1M10 7v1',
  closed: 'M8 2.5a5.5 5.5 0 1 0 .01 0M8 5v3.2l2 1.3', message: 'M2.5 4h11v8h-11zM2.5 4.5 8 9l5.5-4.5', asked: 'M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 11.5v.1',
  suppressed: 'M6 4v8M10 4v8', near: 'M2.5 6.5c2-2 3.5-2 5.5 0s3.5 2 5.5 0M2.5 10.5c2-2 3.5-2 5.5 0s3.5 2 5.5 0', shadow: 'M8 2.5a5.5 5.5 0 0 0 0 11M10.5 3.1l.1 0M12.7 5l.1 0M13.5 8l.1 0M12.7 11l.1 0M10.5 12.9l.1 0',
  none: 'M5 8h6', check: 'M3.5 8.5 6.5 11.5 12.5 4.5', cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7', warn: 'M8 2.5 14 13H2zM8 6.5v3M8 11.2v.1', info: 'M8 2.5a5.5 5.5 0 1 0 .01 0M8 7.5v3.5M8 5v.1',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z', search: 'M7 2.5a4.5 4.5 0 1 0 .01 0M10.3 10.3l3.2 3.2', more: 'M6 4l4 4-4 4', down: 'M4 6l4 4 4-4', pause: 'M5.5 3.5v9M10.5 3.5v9', play: 'M5 3.5v9l7-4.5z',
  sun: 'M8 5.5a2.5 2.5 0 1 0 .01 0M8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1', moon: 'M12.9 9.6A5.5 5.5 0 0 1 6.4 3.1 5.5 5.5 0 1 0 12.9 9.6z', auto: 'M8 2.5a5.5 5.5 0 1 0 .01 0M8 2.5v11M9.5 4v8M11 5v6M12.5 7v2',
  user: 'M8 3a2.5 2.5 0 1 0 .01 0M3 13.5c.5-3 2.5-4 5-4s4.5 1 5 4', bot: 'M8 2v2M3.5 4.5h9v7h-9zM6 7.2v1.2M10 7.2v1.2M6 13.5h4', agent: 'M3 10V8a5 5 0 0 1 10 0v2M3 8.5h2V12H3zM11 8.5h2V12h-2zM13 12c0 1.5-2 2-4 2', plus: 'M8 3v10M3 8h10',
  clock: 'M8 2.5a5.5 5.5 0 1 0 .01 0M8 5v3.2l2 1.3', flask: 'M6.5 2.5h3M7 2.5v4l-4 6.5h10l-4-6.5v-4', retry: 'M12.5 8A4.5 4.5 0 1 1 11 4.6M11.5 2v3h-3', trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9', out: 'M9 3h4v4M13 3 7.5 8.5M11 9v4H3V5h4',
  sound: 'M3 6.5h2.5L9 3.5v9L5.5 9.5H3zM11.5 6a3 3 0 0 1 0 4',
  pencil: 'M3 13l.5-2.5L10.5 3.5l2 2-7 7z',
  keyboard: 'M1.5 4h13v8h-13zM4 6.5h.1M6.5 6.5h.1M9 6.5h.1M11.5 6.5h.1M5 9.5h6', minus: 'M3 8h10', up: 'M8 13V3.5M4 7.5l4-4 4 4',
};

export const icon = (name) => h('svg.icon', {viewBox: '0 0 16 16', 'aria-hidden': 'true'}, h('path', {d: icons[name] || icons.none}));
