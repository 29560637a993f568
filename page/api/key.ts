/** The API key: in memory, or in the storage of this tab. Requests that need one wait for the dialog. */
import { signal } from '@preact/signals';
import type { ApiProblem } from './problem.ts';

const STORED = 'atelier-key';

export const apiKey = signal(sessionStorage.getItem(STORED) ?? '');
/** The open dialog: the problem that asks for a key, or null if the user opened it. */
export const keyDialog = signal<{ readonly problem: ApiProblem | null } | null>(null);

let waiting: PromiseWithResolvers<boolean> | null = null;
/** After the dialog has been closed without a key, only a click opens it again. */
let isDeclined = false;

/** Opens the dialog and resolves when it closes, with whether there is a new key. */
export function askForKey(problem: ApiProblem | null): Promise<boolean> {
  if (problem !== null && isDeclined) return Promise.resolve(false);
  waiting ??= Promise.withResolvers();
  keyDialog.value ??= { problem };
  return waiting.promise;
}

/** @param key null if the dialog was closed without one */
export function closeKeyDialog(key: string | null, isRemembered = false): void {
  keyDialog.value = null;
  isDeclined = key === null;
  if (key !== null) {
    apiKey.value = key;
    if (isRemembered) sessionStorage.setItem(STORED, key);
    else sessionStorage.removeItem(STORED);
  }
  waiting?.resolve(key !== null);
  waiting = null;
}
