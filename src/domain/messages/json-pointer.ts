/** JSON pointers: the location of a value in a body. */

/** RFC 6901, as a URI fragment. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return `#${path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
}
