/** Hash routes and the screens that they show. */
import { computed, signal } from '@preact/signals';

export type Route =
  | { readonly screen: 'train' }
  | { readonly screen: 'jobs' }
  | { readonly screen: 'job'; readonly id: string }
  | { readonly screen: 'compare' }
  | { readonly screen: 'search'; readonly id: string }
  | { readonly screen: 'models' }
  | { readonly screen: 'model'; readonly name: string }
  | { readonly screen: 'model-version'; readonly name: string; readonly version: string }
  | { readonly screen: 'try' }
  | { readonly screen: 'check' }
  | { readonly screen: 'data' }
  | { readonly screen: 'dataset'; readonly id: string }
  | { readonly screen: 'unknown' };

/** Addresses of the screens, for `href`. */
export const links = {
  train: (setting = '') => `#/train${withQuery(setting)}`,
  jobs: () => '#/jobs',
  job: (id: string) => `#/jobs/${encodeURIComponent(id)}`,
  compare: (ids: readonly string[]) => `#/compare${withQuery(ids.map(encodeURIComponent).join(','))}`,
  search: (id: string) => `#/searches/${encodeURIComponent(id)}`,
  models: () => '#/models',
  model: (name: string) => `#/models/${encodeURIComponent(name)}`,
  modelVersion: (name: string, version: string | number) =>
    `#/models/${encodeURIComponent(name)}/${encodeURIComponent(version)}`,
  try: (model = '') => `#/try${withQuery(encodeURIComponent(model))}`,
  check: () => '#/check',
  data: () => '#/data',
  dataset: (id: string) => `#/data/${encodeURIComponent(id)}`,
};

const withQuery = (query: string) => (query === '' ? '' : `?${query}`);

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

/** The part before `?`. Two addresses with the same path are the same screen with other state. */
export const path = computed(() => hash.value.replace(/^#/, '').split('?', 1)[0] || '/train');
/** The part after `?`, still encoded. */
export const query = computed(() => hash.value.split('?').slice(1).join('?'));
export const route = computed(() => parsePath(path.value));

/** Goes to an address of `links`, with an entry in the history. */
export function navigate(address: string): void {
  location.hash = address;
}

/** Replaces the query of the current screen without an entry in the history, to keep the state of a screen in its address. */
export function replaceQuery(search: string): void {
  const address = `#${path.value}${withQuery(search)}`;
  if (address === location.hash) return;
  history.replaceState(null, '', address);
  hash.value = address;
}

export function parsePath(path: string): Route {
  const [first, id, version, ...rest] = path.split('/').slice(1).map(decode);
  if (rest.length > 0) return { screen: 'unknown' };
  if (first === 'models' && id && version) return { screen: 'model-version', name: id, version };
  if (version !== undefined) return { screen: 'unknown' };
  if (first === 'models' && id) return { screen: 'model', name: id };
  if (first === 'jobs' && id) return { screen: 'job', id };
  if (first === 'searches' && id) return { screen: 'search', id };
  if (first === 'data' && id) return { screen: 'dataset', id };
  if (id !== undefined) return { screen: 'unknown' };
  switch (first) {
    case 'train':
    case 'jobs':
    case 'compare':
    case 'models':
    case 'try':
    case 'check':
    case 'data':
      return { screen: first };
    default:
      return { screen: 'unknown' };
  }
}

/** @returns the text itself if it is malformed */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
