import { useEffect, useState } from 'preact/hooks';

/** What was chosen; `system` follows the device. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'parley.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

const stored = (): Theme => {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
};

/** Shows the choice of an earlier visit. Called once, before the first drawing. */
export function applyTheme(theme: Theme = stored()): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

/** Whether it is dark now, and a way to change that. */
export function useTheme(): { isDark: boolean; toggle: () => void } {
  const [theme, setTheme] = useState(stored);
  const [systemDark, setSystemDark] = useState(dark.matches);
  useEffect(() => {
    const follow = () => setSystemDark(dark.matches);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, []);
  const isDark = theme === 'system' ? systemDark : theme === 'dark';
  const toggle = () => {
    const wanted = isDark ? 'light' : 'dark';
    // Back at what the device says, the page follows the device again.
    const next: Theme = (wanted === 'dark') === systemDark ? 'system' : wanted;
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
    applyTheme(next);
    setTheme(next);
  };
  return { isDark, toggle };
}
