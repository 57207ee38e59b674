import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nProvider } from 'react-aria-components';
import './ui/empty-without-html.ts';
import './ui/tokens.css';
import './ui/base.css';
import { getBridge } from './bridge/bridge.ts';
import { App } from './features/shell/App.tsx';
import { mirrorView } from './stores/app-store.ts';
import { useNavigation } from './stores/navigation-store.ts';

const bridge = getBridge();
mirrorView(bridge);
bridge.on('go-to', ({ path }) => {
  useNavigation.getState().go(path);
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root.');
createRoot(root).render(
  <StrictMode>
    <I18nProvider locale="en-GB">
      <App />
    </I18nProvider>
  </StrictMode>,
);
