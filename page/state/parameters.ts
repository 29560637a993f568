/** The state of a screen in its address, as `?name=value&…`. */
import { query, replaceQuery } from '../router.ts';

/** @returns '' if the parameter is missing */
export const parameter = (name: string): string => new URLSearchParams(query.value).get(name) ?? '';

/** The query with some parameters changed. An empty value removes one. */
export function withParameters(changes: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') parameters.delete(name);
    else parameters.set(name, value);
  }
  return parameters.toString();
}

export const setParameters = (changes: Readonly<Record<string, string>>): void =>
  replaceQuery(withParameters(changes));
