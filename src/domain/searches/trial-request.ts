/** The training request of a trial: the fields of the search with the values of a setting. */
import type { ResolvedSearchRequest, SearchRequest } from './request.ts';
import type { Setting } from './settings.ts';

const ROOTS = ['network', 'training'];
/** The same for all trials, because their results are compared on the same images. */
const FIXED = ['/training/validation', '/training/trainOnValidation'];

/** An index of an array, in a JSON pointer. */
const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** The names in a JSON pointer (RFC 6901). */
export function parsePath(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** @returns the defect of a variation's path, as a predicate; null if it is valid */
export function findPathDefect(path: string, earlier: readonly string[]): string | null {
  const names = parsePath(path);
  if (!path.startsWith('/') || names.length < 2 || !ROOTS.includes(names[0]!)) {
    return 'must be a JSON pointer to a field of network or training, such as /training/optimizer/learningRate';
  }
  if (/~(?![01])/.test(path)) {
    return 'must be a JSON pointer: write a ~ as ~0, and a / within a name as ~1 (RFC 6901)';
  }
  const fixed = FIXED.find((prefix) => contains(prefix, path));
  if (fixed !== undefined) return `must not be ${fixed}: it is the same for all trials`;
  const overlap = earlier.find((other) => contains(other, path) || contains(path, other));
  if (overlap !== undefined) return `overlaps with ${overlap}: both vary`;
  return null;
}

/** @returns the part of a path that follows an array of the request and is no index of an item; null without one */
export function findNoIndex({ network, training }: SearchRequest, path: string): string | null {
  let at: unknown = { network, training };
  for (const name of parsePath(path)) {
    if (Array.isArray(at) && !INDEX.test(name)) return name;
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  }
  return null;
}

/** Whether a pointer equals another one, or points to a field within it. */
export function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

/** The request as sent, without defaults. */
export function assembleRequest(request: SearchRequest, setting: Setting): Record<string, unknown> {
  const { dataset, seed, metadata, gradientCheck, network, training } = request;
  const base = structuredClone({ network, training }) as Record<string, unknown>;
  request.vary.forEach(({ path }, d) => {
    setAt(base, parsePath(path), structuredClone(setting[d]));
  });
  const modelName = request.modelName === undefined ? {} : { modelName: request.modelName };
  return { dataset, ...modelName, seed, metadata, gradientCheck, ...base };
}

/** Creates what is missing on the way, an array before an index. A value that is neither an object nor an array is replaced. */
function setAt(root: Record<string, unknown>, names: readonly string[], value: unknown): void {
  let at = root;
  for (const [n, name] of names.slice(0, -1).entries()) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined;
    const created = INDEX.test(names[n + 1]!) ? [] : {};
    const object = typeof next === 'object' && next !== null ? next : created;
    define(at, name, object);
    at = object as Record<string, unknown>;
  }
  define(at, names.at(-1)!, value);
}

/** An assignment to `__proto__` would set the prototype. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The values of a setting by path. */
export function nameValues(
  { vary }: Pick<ResolvedSearchRequest, 'vary'>,
  setting: Setting,
): Record<string, unknown> {
  return Object.fromEntries(vary.map(({ path }, d) => [path, setting[d]]));
}
