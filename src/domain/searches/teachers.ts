/** The teachers that a search names, for all trials and among the choices of what varies. */
import type { ResolvedSearchRequest, SearchRequest } from './request.ts';
import { parsePath } from './trial-request.ts';

/** @param pointer the place of the reference in the request */
type Replace = (reference: unknown, pointer: string) => unknown;

/** The fields that lead to the list of teachers in a training request. */
const TO_TEACHERS = ['training', 'distillation', 'teachers'];

/** The request with each reference to a teacher replaced. The references are as sent, and may be invalid. */
export function replaceTeachers<T extends Pick<SearchRequest, 'training' | 'vary'>>(
  request: T,
  replace: Replace,
): T {
  return {
    ...request,
    training: replaceWithin(request.training, ['training'], '#/training', replace),
    vary: request.vary.map((variation, n) => {
      if (variation.choices === undefined) return variation;
      const names = parsePath(variation.path);
      const choices = variation.choices.map((choice, k) =>
        replaceWithin(choice, names, `#/vary/${n}/choices/${k}`, replace),
      );
      return { ...variation, choices };
    }),
  };
}

/** @param names where the value is in a training request */
function replaceWithin<T>(value: T, names: readonly string[], pointer: string, replace: Replace): T {
  const depth = names.length;
  if (TO_TEACHERS.slice(0, depth).some((name, n) => name !== names[n])) return value;
  // A single teacher: its number follows the name of the list.
  if (depth > TO_TEACHERS.length + 1) return value;
  if (depth === TO_TEACHERS.length + 1) return replace(value, pointer) as T;
  if (depth === TO_TEACHERS.length) {
    if (!Array.isArray(value)) return value;
    return value.map((reference, n) => replace(reference, `${pointer}/${n}`)) as T;
  }
  const next = TO_TEACHERS[depth]!;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, next)) return value;
  const inner = (value as Record<string, unknown>)[next];
  return { ...value, [next]: replaceWithin(inner, [...names, next], `${pointer}/${next}`, replace) };
}

export interface NamedTeacher {
  readonly reference: unknown;
  readonly pointer: string;
}

export function listTeachers(request: Pick<ResolvedSearchRequest, 'training' | 'vary'>): NamedTeacher[] {
  const found: NamedTeacher[] = [];
  replaceTeachers(request, (reference, pointer) => {
    found.push({ reference, pointer });
    return reference;
  });
  return found;
}
