/** The range of numbers that do not state it: one rule for predictions and data sets, in all formats. */
import { AtelierError, type ErrorDetail } from '../errors.ts';

/** The range of the numbers that stand for black to white; the same for all images of a request. */
export type PixelScale = '0-1' | '0-255';

export interface PixelOptions {
  readonly pixels?: PixelScale | undefined;
}

/** Resizing and normalising can lift numbers of 0–1 up to this one, and an image of 0–255 would be black below it. */
export const MAX_AMBIGUOUS = 2;

/**
 * Integers are 0–255. Floats are 0–1 if none in any array is greater than 1, and 0–255 if one is greater than 2. A maximum
 * between them is ambiguous. Numbers in the JSON of `/v1` are 0–255, so fractions are read only if floats would be 0–255.
 * @param maximum the largest of the floats
 * @param reject throws the error; called with what is wrong with them
 */
export function rangeOf(maximum: number, reject: (defect: string) => never): PixelScale {
  if (maximum <= 1) return '0-1';
  if (maximum > MAX_AMBIGUOUS) return '0-255';
  const misfit = 'too large for pixels of 0–1 and too small for pixels of 0–255';
  return reject(`largest number is ${maximum}, ${misfit}`);
}

/**
 * @param alternative extra advice for the error message, if any
 * @throws AtelierError `ambiguous-pixel-range`
 */
export function inferScale(
  arrays: readonly ArrayLike<number | bigint>[],
  alternative: ErrorDetail | null = null,
): PixelScale {
  let maximum = 0;
  for (const values of arrays) {
    for (let i = 0; i < values.length; i++) {
      if (values[i]! > MAX_AMBIGUOUS) return '0-255';
      if (values[i]! > maximum) maximum = Number(values[i]);
    }
  }
  return rangeOf(maximum, (defect) => {
    throw new AtelierError(
      'ambiguous-pixel-range',
      `The ${defect}. Clip pixels of 0–1 to 1, or divide pixels of 0–255 by 255${alternative ? `, or ${alternative.detail}` : ''}.`,
      { details: alternative ? [alternative] : [] },
    );
  });
}
