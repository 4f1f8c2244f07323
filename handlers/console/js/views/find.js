// Find a conversation.

import {h} from '../dom.js';
import {empty} from '../parts.js';
import {t} from '../words.js';

export const title = () => t('Conversation');

export function render(root) {
  root.append(h('h1', title()), empty(t('Not built yet')));
}
