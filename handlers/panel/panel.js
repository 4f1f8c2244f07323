'use strict';
// The agents' panel: asks once for what is known of the customer whom Desk names in the
// hash, and shows it. Whatever came from a customer is set as text, never as markup.
// It neither sends nor listens to messages of other windows, and leaves the hash as it
// is: that is Desk's, which may load the frame again.

const words = {
  en: {
    other: '中文', again: 'Refresh', loading: 'Loading…',
    phase: {bot: 'with the bot', transferring: 'being transferred', queued: 'in the queue', human: 'with a person'},
    why: 'Why this customer is here', wants: 'Conversation', who: 'Customer', left: 'Words left for you',
    rule: 'rule', accepted: 'The customer was asked first, and said yes.', asked: 'Desk asked where this customer belongs.',
    message: 'Nobody was there, so the customer was asked to leave words.',
    noRule: 'No rule of Escalator brought this customer here: Desk, a task flow or an agent did.',
    contacted: 'The customer is contacted because of the words below.',
    said: 'In the customer’s words', counters: (c) => `Messages from the customer: ${c.user_messages} · Bot failures in a row: ${c.misses_in_a_row} · Earlier transfers: ${c.transfers}`,
    role: {user: 'Customer', bot: 'Bot', agent: 'Agent', escalator: 'Automatic'}, older: 'Earlier messages are not shown.',
    hidden: '(words are not kept)', session: 'Session', user: 'User',
    sends: {image: 'image', sound: 'sound', video: 'video', file: 'file', location: 'location', face: 'sticker', custom: 'card'},
    missing: {
      no_history: 'No history is kept here: what was said before cannot be shown.', history: 'What was said before cannot be read at the moment.',
      words: 'Words that were left cannot be read at the moment.', conversation: 'The state of the conversation cannot be read at the moment.',
    },
    state: {
      none: ['No customer chosen', 'Desk gave this page no session and no user. It fills when you open a conversation; if it stays so, ask who set up the screen pop.'],
      token: ['Not set up', 'The address of this page has no #token=… Ask who set up the screen pop in Desk.'],
      refused: ['Not allowed', 'Escalator does not take this token. Ask who set up the screen pop in Desk.'],
      unknown: ['Nothing is known', 'Escalator has nothing about this customer, or the customer is not on the way to a person.'],
      busy: ['Too many at once', 'Wait a moment, then refresh.'],
      failed: ['No answer', 'Escalator cannot be reached. Refresh to try again.'],
    },
  },
  zh: {
    other: 'English', again: '刷新', loading: '加载中…',
    phase: {bot: '机器人接待中', transferring: '正在转接', queued: '排队中', human: '人工接待中'},
    why: '转接原因', wants: '对话', who: '客户', left: '客户留言',
    rule: '规则', accepted: '已先询问客户，客户同意转接。', asked: '由 Desk 询问后分配。',
    message: '当时无人在线，已请客户留言。',
    noRule: '不是由 Escalator 的规则转来的：可能来自 Desk、任务流或其他坐席。',
    contacted: '因下方留言主动联系该客户。',
    said: '客户说', counters: (c) => `客户消息 ${c.user_messages} 条，机器人连续答不上来 ${c.misses_in_a_row} 次，此前转接 ${c.transfers} 次`,
    role: {user: '客户', bot: '机器人', agent: '坐席', escalator: '自动消息'}, older: '更早的消息未显示。',
    hidden: '（未保留文字内容）', session: '会话', user: '用户',
    sends: {image: '图片', sound: '语音', video: '视频', file: '文件', location: '位置', face: '表情', custom: '卡片'},
    missing: {
      no_history: '未开启历史记录，无法显示之前的对话。', history: '暂时无法读取之前的对话。',
      words: '暂时无法读取留言。', conversation: '暂时无法读取会话状态。',
    },
    state: {
      none: ['未选择客户', 'Desk 没有提供会话或用户。打开一个会话后会自动显示；如果一直如此，请联系配置来电弹屏的同事。'],
      token: ['尚未配置', '页面地址缺少 #token=…，请联系在 Desk 配置来电弹屏的同事。'],
      refused: ['没有权限', 'Escalator 不接受该令牌，请联系在 Desk 配置来电弹屏的同事。'],
      unknown: ['暂无信息', 'Escalator 没有该客户的记录，或客户目前没有转接人工。'],
      busy: ['请求过多', '请稍后刷新。'],
      failed: ['无法连接', '无法连接 Escalator，请刷新重试。'],
    },
  },
};

// Names as Desk and its sister products spell them, without case, _ and -; the first that is there counts.
const sessionNames = ['sessionid', 'session'];
const userNames = ['clientuserid', 'userid', 'user'];
const known = ['token', ...sessionNames, ...userNames];

const main = document.getElementById('main');
const phase = document.getElementById('phase');
const again = document.getElementById('again');
const language = document.getElementById('language');
const address = new URL('context', document.currentScript.src).href; // beside this script, whatever a proxy puts before it
const posted = new Set(); // names that were told once
let lang = (navigator.language || '').toLowerCase().startsWith('zh') ? 'zh' : 'en';
let token = '';
let shown = {state: 'none'}; // a state, or the data
let asked = 0; // which request is the last: an answer that comes late is passed over

// readHash takes parameters apart however they were joined: Desk appends its own to the
// hash that it was given. A + stays a +, for a token may hold one.
function readHash(hash) {
  const params = new Map();
  const others = [];
  for (const part of hash.split(/[#&?]/)) {
    const at = part.indexOf('=');
    if (at <= 0) continue; // not a name, but perhaps a value
    const spelled = part.slice(0, at).replace(/^[/!]+/, '');
    const name = spelled.toLowerCase().replace(/[_-]/g, '');
    let value = part.slice(at + 1);
    try { value = decodeURIComponent(value); } catch { /* it is no encoding: it means itself */ }
    if (!known.includes(name)) others.push(spelled);
    else if (value && !params.has(name)) params.set(name, value);
  }
  const first = (names) => params.get(names.find((n) => params.has(n))) || '';
  return {token: params.get('token') || '', session: first(sessionNames), user: first(userNames), others};
}

async function load() {
  const hash = readHash(location.hash);
  token = hash.token || token; // Desk may set a hash anew for the next customer
  const mine = ++asked;
  const show = (what) => { if (mine === asked) { shown = what; draw(); } };
  if (!token) return show({state: 'token'});
  const names = hash.others.filter((n) => !posted.has(n)).slice(0, 32);
  if (!hash.session && !hash.user && names.length === 0) return show({state: 'none'});
  show({state: 'loading'});
  try {
    const answer = await fetch(address, {
      method: 'POST', credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer',
      headers: {'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json'},
      body: JSON.stringify({session: hash.session, user: hash.user, names}),
    });
    if (answer.status === 404) return show({state: 'refused'});
    if (answer.status === 429) return show({state: 'busy'});
    if (!answer.ok) return show({state: 'failed'});
    const data = await answer.json();
    names.forEach((n) => posted.add(n));
    if (!hash.session && !hash.user) return show({state: 'none'});
    show(data.known ? {data} : {state: 'unknown', missing: data.missing});
  } catch {
    show({state: 'failed'});
  }
}

// el makes an element; what is in it is text, or elements.
function el(tag, className, ...content) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...content.filter((c) => c !== null && c !== '').map((c) => (c instanceof Node ? c : document.createTextNode(c))));
  return e;
}

function section(title, ...content) {
  const s = el('section', '', el('h2', '', title));
  s.append(...content.filter(Boolean));
  return s;
}

function draw() {
  const w = words[lang];
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  language.textContent = w.other;
  again.textContent = w.again;
  phase.hidden = !(shown.data && shown.data.phase);
  phase.textContent = phase.hidden ? '' : w.phase[shown.data.phase] || shown.data.phase;
  if (shown.data) main.replaceChildren(...drawData(shown.data, w));
  else if (shown.state === 'loading') main.replaceChildren(el('p', 'state', w.loading));
  else {
    const [title, text] = w.state[shown.state];
    main.replaceChildren(...notices(shown.missing, w), el('p', 'state', el('b', '', title), text));
  }
}

function notices(missing, w) {
  return (missing || []).map((m) => el('section', 'notice', w.missing[m] || m));
}

function drawData(d, w) {
  const parts = [...notices(d.missing, w), drawWhy(d, w)];
  if (d.words && d.words.length) parts.push(section(w.left, drawLeft(d.words)));
  parts.push(drawWho(d, w));
  if (d.turns && d.turns.length) parts.push(section(w.wants, drawTurns(d, w)));
  return parts;
}

function drawWhy(d, w) {
  if (!d.why) return section(w.why, el('p', '', d.words && d.words.length ? w.contacted : w.noRule));
  const r = d.why;
  const hits = r.matched && r.matched.length ? el('ul', 'chips', ...r.matched.map((m) => el('li', '', m))) : null;
  const how = r.reason === 'offer_accepted' ? w.accepted : r.outcome === 'asked' ? w.asked : r.outcome === 'message' ? w.message : '';
  return section(w.why,
    el('p', 'lead', r.about || r.rule),
    hits && el('p', 'quiet', w.said), hits,
    how && el('p', '', how),
    !hits && r.why ? el('p', '', r.why) : null,
    d.counters && el('p', 'quiet', w.counters(d.counters)),
    el('p', 'quiet', w.rule + ' ', el('code', '', r.rule), r.target ? ' → ' : '', r.target ? el('code', '', r.target) : '', ' · ' + time(r.at)));
}

function drawWho(d, w) {
  const rows = (d.fields || []).map((f) => [f.name, f.value || '—']);
  if (d.user) rows.push([w.user, d.user]);
  rows.push([w.session, d.session]);
  const list = el('dl', '');
  for (const [name, value] of rows) list.append(el('dt', '', name), el('dd', '', value));
  return section(w.who, list);
}

function drawLeft(left) {
  return el('ol', '', ...left.map((m) => el('li', 'left', el('span', 'quiet', time(m.at)), '\n' + m.text)));
}

function drawTurns(d, w) {
  const list = el('ol', '');
  if (d.older) list.append(el('li', 'quiet', w.older));
  for (const t of d.turns) {
    const sends = (t.sends || []).map((s) => '[' + (w.sends[s] || s) + ']').join(' ');
    const text = [t.text, sends].filter(Boolean).join(' ') || w.hidden;
    list.append(el('li', 'turn ' + (t.role === 'user' ? 'user' : ''), el('span', 'who', (w.role[t.role] || t.role) + ' · ' + time(t.at)), ...marked(text, t.role === 'user' && d.why ? d.why.matched : [])));
  }
  return list;
}

// marked shows which words made the rule hold.
function marked(text, hits) {
  const hit = (hits || []).filter(Boolean).find((h) => text.includes(h));
  if (!hit) return [text];
  const at = text.indexOf(hit);
  return [text.slice(0, at), el('mark', '', hit), ...marked(text.slice(at + hit.length), hits)];
}

function time(at) {
  const t = new Date(at);
  const day = t.toDateString() === new Date().toDateString() ? {} : {month: '2-digit', day: '2-digit'};
  return t.toLocaleString(lang === 'zh' ? 'zh-CN' : 'en-GB', {...day, hour: '2-digit', minute: '2-digit', hour12: false});
}

language.addEventListener('click', () => { lang = lang === 'zh' ? 'en' : 'zh'; draw(); });
again.addEventListener('click', load);
window.addEventListener('hashchange', load);
load();
