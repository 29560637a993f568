/** Errors of a request at the options of the form. */
import type { ApiProblem } from '../../../api/problem.ts';
import { type Form, varyPointer } from '../form.ts';
import { visibleOptions } from './options.ts';

/** Descriptions of errors by the pointer of the option; a variation's begins with `/vary`. */
export type OptionErrors = Readonly<Record<string, string>>;

/** @returns the errors, and whether each has an option of the form */
export function placeErrors(problem: ApiProblem, form: Form): { errors: OptionErrors; isComplete: boolean } {
  const errors: Record<string, string> = {};
  const shown = new Set([form.training, form.search].flatMap(visibleOptions).map(({ pointer }) => pointer));
  let isComplete = problem.errors.length > 0;
  for (const { pointer = '', detail } of problem.errors) {
    const place = varyOption(pointer, form) ?? closest(pointer.slice(1), shown);
    if (place === null) isComplete = false;
    else errors[place] = errors[place] === undefined ? detail : `${errors[place]} ${detail}`;
  }
  return { errors, isComplete };
}

/** `#/vary/0/choices/1` is an error of the first variation; one of all variations, `#/vary`, is also shown there. */
function varyOption(pointer: string, { body }: Form): string | null {
  if (!/^#\/vary(\/|$)/.test(pointer)) return null;
  const index = /^#\/vary\/(\d+)/.exec(pointer)?.[1] ?? 0;
  const variation = (body['vary'] as readonly { path: string }[] | undefined)?.[Number(index)];
  return variation === undefined ? null : varyPointer(variation.path);
}

/** The option itself or the one that holds it: `/network/hidden` for `/network/hidden/0`. */
function closest(pointer: string, shown: ReadonlySet<string>): string | null {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (shown.has(at)) return at;
  return null;
}
