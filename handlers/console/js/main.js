// Where the console begins.

import {api, Failure, root} from './api.js';
import {h, fill} from './dom.js';
import {frame, refreshService} from './frame.js';
import {preferred, setLang} from './words.js';
import {again, routes} from './router.js';

// The demo's link has the token in its fragment, which no server sees. It leaves the address at once, and signs in who is not.
async function useLink() {
  const [, token] = /^#token=(\w+)$/.exec(location.hash) || [];
  if (!token) return false;
  history.replaceState(history.state, '', location.pathname + location.search);
  const {status} = await fetch(new URL('api/rules', root));
  return status === 401 && Boolean(await api.post('/api/session', {token}));
}

await setLang(preferred()).catch(() => setLang('en'));
await useLink().catch(() => {}); // the form comes, as without it
frame();

const main = document.getElementById('main');
// view loads a view. After an upgrade of the service its address is another one, which the page of the new version knows.
const view = (name) => async () => {
  try {
    return await import(`./views/${name}.js`);
  } catch {
    const page = await fetch(root).then((answer) => (answer.ok ? answer.text() : ''), () => '');
    if (page && !page.includes(new URL('..', import.meta.url).pathname)) location.reload();
    throw new Failure(0, '');
  }
};

// Whoever is refused signs in where the view would be, and then sees it. A view that comes later takes the place of the
// form, and is refused in its turn.
let form = null;
addEventListener('signin', async () => {
  const {render} = await view('signin')();
  if (form && form.isConnected) return;
  for (const open of document.querySelectorAll('dialog[open]')) open.close('no'); // it would lie over the form
  form = h('div.view');
  fill(main, form);
  render(form, {done: signedIn});
});

function signedIn() {
  refreshService();
  again();
}

addEventListener('hashchange', async () => { // it was put into the address of an open page
  if (await useLink().catch(() => false)) signedIn();
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
