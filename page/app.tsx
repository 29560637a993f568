/** The frame of every screen: skip link, header, navigation, banner, footer, key dialog. */
import type { JSX } from 'preact';
import { apiKey, askForKey } from './api/key.ts';
import { Button } from './components/button.tsx';
import { KeyDialog } from './components/dialogs/key-dialog.tsx';
import { Banner } from './components/feedback/banner.tsx';
import { CurrentScreen } from './current-screen.tsx';
import { links, path, type Route, route } from './router.ts';
import { nextTheme, theme } from './state/theme.ts';

/** Entries of the navigation, with the screens that belong to them. */
const ENTRIES = [
  { name: 'Train', href: links.train(), screens: ['train'] },
  { name: 'Jobs', href: links.jobs(), screens: ['jobs', 'job', 'search', 'compare'] },
  { name: 'Models', href: links.models(), screens: ['models', 'model', 'model-version'] },
  { name: 'Try', href: links.try(), screens: ['try'] },
  { name: 'Check', href: links.check(), screens: ['check'] },
  { name: 'Data', href: links.data(), screens: ['data', 'dataset'] },
] as const satisfies readonly { name: string; href: string; screens: readonly Route['screen'][] }[];

export function App(): JSX.Element {
  return (
    <>
      <button type="button" class="skip-link" onClick={() => document.querySelector('h1')?.focus()}>
        Skip to the content
      </button>
      <header class="site-header">
        <a class="brand" href={links.train()}>
          Atelier
        </a>
        <nav aria-label="Screens">
          {ENTRIES.map(({ name, href, screens }) => (
            <a
              key={name}
              href={href}
              aria-current={screens.some((each) => each === route.value.screen) ? 'page' : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <div class="site-tools">
          <Button kind="quiet" onClick={nextTheme}>
            Theme: {theme.value}
          </Button>
          <Button kind="quiet" onClick={() => void askForKey(null)}>
            {apiKey.value === '' ? 'Key' : 'Key ✓'}
          </Button>
        </div>
      </header>
      <Banner />
      <main id="main">
        <CurrentScreen key={path.value} route={route.value} />
      </main>
      <footer class="site-footer">
        <a href="docs">API documentation</a>
      </footer>
      <KeyDialog />
    </>
  );
}
