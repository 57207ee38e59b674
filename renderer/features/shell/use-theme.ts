import { useEffect } from 'react';

/** Sets data-theme on the root; "system" follows the desktop as it changes. */
export function useTheme(theme: 'system' | 'light' | 'dark'): void {
  useEffect(() => {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    const apply = (): void => {
      document.documentElement.dataset['theme'] = theme === 'system' ? (query.matches ? 'dark' : 'light') : theme;
    };
    apply();
    query.addEventListener('change', apply);
    return () => {
      query.removeEventListener('change', apply);
    };
  }, [theme]);
}
