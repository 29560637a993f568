/** State of the screen in the query of its address: tab, split, cell of the confusion matrix, other version. */
import { query, replaceQuery } from '../../router.ts';

type Key = 'tab' | 'split' | 'cell' | 'with';

export const state = (key: Key): string | null => new URLSearchParams(query.value).get(key);

/** The query with changed entries; null removes one. */
export function changedState(changes: Partial<Record<Key, string | null>>): string {
  const search = new URLSearchParams(query.value);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) search.delete(key);
    else search.set(key, value);
  }
  return `${search}`;
}

export const setState = (changes: Partial<Record<Key, string | null>>): void =>
  replaceQuery(changedState(changes));
