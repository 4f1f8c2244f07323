// Where the console begins.

import {h, fill} from './dom.js';
import {frame, refreshService} from './frame.js';
import {preferred, setLang} from './words.js';
import {again, routes} from './router.js';

await setLang(preferred()).catch(() => setLang('en'));
frame();

const main = document.getElementById('main');
const view = (name) => () => import(`./views/${name}.js`);

// Whoever is refused signs in where the view would be, and then sees it.
let asking = null;
addEventListener('moved', () => { asking = null; });
addEventListener('signin', async () => {
  if (asking) return;
  const mine = asking = {};
  const {render} = await import('./views/signin.js');
  if (asking !== mine) return;
  for (const open of document.querySelectorAll('dialog[open]')) open.close('no'); // it would lie over the sign-in
  const box = h('div.view');
  fill(main, box);
  render(box, {done: () => { asking = null; refreshService(); again(); }});
});

routes([
  {path: '/', view: view('live')},
  {path: '/c', view: view('find')},
  {path: '/c/:session', view: view('conversation')},
  {path: '/try', view: view('try')},
  {path: '/rules', view: view('rules')},
  {path: '/rules/:id', view: view('rule')},
  {path: '/file', view: view('file')},
  {path: '/history', view: view('history')},
  {path: '/delivery', view: view('delivery')},
  {path: '/suggest', view: view('suggest')},
], main);
