/** Entry of the page: mounts the application. */
import { render } from 'preact';
import { App } from './app.tsx';
import { prefetchScreens } from './load-screens.ts';
import { applyTheme } from './state/theme.ts';

applyTheme();
render(<App />, document.getElementById('app')!);
addEventListener('load', prefetchScreens);
