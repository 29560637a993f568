/** Loads page-screens.js (all screens but the first): at the first visit of one, or before, in idle time. */
import { signal } from '@preact/signals';
import { probe } from './api/probe.ts';
import { ApiProblem, unreachable } from './api/problem.ts';
import { awaySince } from './state/connection.ts';

/** A constant of the bundle: equal in all its files if they were built together. */
declare const BUILD: string;

export type Screens = typeof import('./screens.ts');

/** Null until they have been loaded. */
export const screens = signal<Screens | null>(null);
/** The error of the last attempt to load them. */
export const screensProblem = signal<ApiProblem | null>(null);

let attempts = 0;
let isLoading = false;

/** Does nothing while they are being loaded, or have been. */
export async function loadScreens(): Promise<void> {
  if (isLoading || screens.value !== null) return;
  isLoading = true;
  screensProblem.value = null;
  attempts++;
  // Browsers remember that an address failed, so each further attempt has another one.
  const query = attempts === 1 ? '' : `?attempt=${attempts}`;
  try {
    const loaded: Screens = await import(new URL(`page-screens.js${query}`, import.meta.url).href);
    if (loaded.BUILD_OF_SCREENS !== BUILD) throw new Error('The files are of two builds.');
    screens.value = loaded;
  } catch (error) {
    // The network fails with a TypeError, and files of two builds with others.
    screensProblem.value = error instanceof TypeError ? await explainFailure() : outdated();
  }
  isLoading = false;
}

async function explainFailure(): Promise<ApiProblem> {
  await probe();
  return awaySince.value === null
    ? problem('page-error', 'The service did not send this screen.')
    : unreachable();
}

const outdated = () =>
  problem('page-outdated', 'The service has another version of this page now. Reload the page.');

const problem = (code: string, detail: string) =>
  new ApiProblem({ title: 'Screen not loaded', status: 0, detail, code, requestId: '' });

/** For browsers that do not report idle time. */
const SETTLED_MS = 500;

/** Loads the screens in idle time, unless the visitor saves data. A hidden document loads them when it is visible. */
export function prefetchScreens(): void {
  // Not every browser has it.
  const { connection } = navigator as { readonly connection?: { readonly saveData: boolean } };
  if (connection?.saveData || matchMedia('(prefers-reduced-data: reduce)').matches) return;
  if (document.hidden) document.addEventListener('visibilitychange', prefetchScreens, { once: true });
  else if ('requestIdleCallback' in window) requestIdleCallback(loadAhead);
  else setTimeout(loadAhead, SETTLED_MS);
}

/** A visit may have been first, and then shows its problem itself. */
const loadAhead = () => {
  if (attempts === 0) void loadScreens();
};
