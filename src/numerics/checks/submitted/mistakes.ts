/** Mistakes that a submitted gradient can contain. */

export const MISTAKES = [
  'constant-factor',
  'sign',
  'transposed',
  'swapped-blocks',
  'missing-activation-mask',
  'zero',
  'not-finite',
  'permuted-classes',
  'penalty-missing',
] as const;
export type Mistake = (typeof MISTAKES)[number];

/** The explanation of a wrong block. */
export interface Hint {
  readonly kind: Mistake;
  /**
   * Factor of the right numbers, if it is not 1 and not the −1 of `sign`; for `penalty-missing` the factor of the parameters that
   * were added.
   */
  readonly factor?: number;
  readonly sentence: string;
}
