/** Structures as text columns. */

/** @throws RangeError for NaN and infinities, which JSON would silently turn into null */
export function encode(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw new RangeError(`${key} is ${part}; only finite numbers can be stored`);
    }
    return part;
  });
}

/** Only for text that `encode` wrote: the type is taken on trust. */
export function decode<T>(text: string): T {
  return JSON.parse(text) as T;
}
