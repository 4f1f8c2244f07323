// Suggestions for the rule file.

import {h} from '../dom.js';
import {empty} from '../parts.js';
import {t} from '../words.js';

export const title = () => t('Suggestions');

export function render(root) {
  root.append(h('h1', title()), empty(t('Not built yet')));
}
