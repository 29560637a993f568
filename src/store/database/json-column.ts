/** JSON text columns. */
import { AtelierError } from '../../errors.ts';

/** @throws RangeError for NaN and infinities: JSON would silently turn them into null */
export function encode(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw new RangeError(
        `Cannot store ${part} in JSON${key && ` (key "${key}")`}: only finite numbers are allowed.`,
      );
    }
    return part;
  });
}

/**
 * Parses text written by `encode`. The type is not checked.
 * @throws AtelierError `state-unusable` if the text is damaged
 */
export function decode<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new AtelierError(
      'state-unusable',
      'A row of the database is damaged: a column does not contain valid JSON. Restore the state directory from a backup.',
      { cause },
    );
  }
}

/** The same for a column that may be null. */
export const decodeOptional = <T>(text: string | null): T | null => (text === null ? null : decode<T>(text));

/** Also returns null for a damaged value, where another reader of the row reports the damage. */
export function decodeReadable<T>(text: string | null): T | null {
  try {
    return decodeOptional<T>(text);
  } catch {
    return null;
  }
}
