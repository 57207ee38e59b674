import { createRoot } from 'react-dom/client';
import { I18nProvider } from 'react-aria-components';
import '../ui/empty-without-html.ts';
import '../ui/tokens.css';
import '../ui/base.css';
import { PromptApp } from './PromptApp.tsx';

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const applyTheme = (): void => {
  document.documentElement.dataset['theme'] = dark.matches ? 'dark' : 'light';
};
applyTheme();
dark.addEventListener('change', applyTheme);

const root = document.getElementById('root');
if (root === null) throw new Error('prompt.html has no element #root.');
// No StrictMode here: it would make every buffer and key pair twice.
createRoot(root).render(
  <I18nProvider locale="en-GB">
    <PromptApp />
  </I18nProvider>,
);
