/** JSON text columns. */

/** @throws RangeError for NaN and infinities, which JSON would silently turn into null */
export function encode(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw new RangeError(`Only finite numbers can be stored, but ${key} is ${part}.`);
    }
    return part;
  });
}

/** Parses text written by `encode`. The type is not checked. */
export function decode<T>(text: string): T {
  return JSON.parse(text) as T;
}
