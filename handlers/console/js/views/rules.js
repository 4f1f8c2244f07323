// All rules: what each does, and whether it is right.

import {h} from '../dom.js';
import {empty} from '../parts.js';
import {t} from '../words.js';

export const title = () => t('Rules');

export function render(root) {
  root.append(h('h1', title()), empty(t('Not built yet')));
}
