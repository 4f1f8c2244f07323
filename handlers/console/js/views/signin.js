// Sign in: the token, in exchange for a cookie. It is shown in the place of a view that was refused (main.js).

import {api} from '../api.js';
import {h} from '../dom.js';
import {field, say} from '../parts.js';
import {t} from '../words.js';

export function render(root, {done}) {
  const token = h('input', {type: 'password', required: true, autocomplete: 'current-password'}), wrong = h('p.wrong', {role: 'alert'});
  root.append(h('form.signin.card', {onsubmit: async (e) => {
    e.preventDefault();
    try {
      await api.post('/api/session', {token: token.value});
      done();
    } catch (error) {
      wrong.textContent = say(error);
      token.select();
    }
  }}, h('h1', t('Sign in')), h('input', {hidden: true, autocomplete: 'username', value: 'operator'}), field(t('Admin token'), token, t('The operators’ token: ESCALATOR_ADMIN_TOKEN.')), wrong, h('button.button.primary', t('Sign in'))));
  token.focus();
}
