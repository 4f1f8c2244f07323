'use strict';
// Loaded before anything is painted: light or dark, as the browser wants it unless somebody chose otherwise.
// Sets <html data-theme="light|dark">; frame.js changes the choice with escalatorTheme(choice), "" for the browser's.
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const chosen = () => { try { return localStorage.getItem('escalator.theme') || ''; } catch { return ''; } };
  const paint = () => { document.documentElement.dataset.theme = chosen() || (dark.matches ? 'dark' : 'light'); };
  window.escalatorTheme = (choice) => {
    if (choice !== undefined) { try { localStorage.setItem('escalator.theme', choice); } catch { /* not kept then */ } }
    paint();
    return chosen();
  };
  dark.addEventListener('change', paint);
  paint();
})();
