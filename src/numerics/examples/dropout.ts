/** Dropout masks, the same in every engine. */
import { PURPOSE, threefry2x32 } from '../random.ts';

/** A unit is dropped if its random word is below this: round(p · 2³²). */
export function dropoutThreshold(dropout: number): number {
  return Math.min(Math.round(dropout * 2 ** 32), 2 ** 32 - 1);
}

/**
 * `kept` (units of hidden layer `layer`, from 1) ← 1 if the unit is kept for the example at `position` of the epoch, 0 if
 * it is dropped. Key (seed, purpose + 256 · layer), counter (position · ⌈units / 2⌉ + k, epoch): its two words decide
 * units 2k and 2k + 1. Counters are distinct as long as position · ⌈units / 2⌉ is below 2³².
 */
export function dropoutMask(
  kept: Uint8Array,
  seed: number,
  epoch: number,
  layer: number,
  position: number,
  threshold: number,
): void {
  const key = PURPOSE.dropout + 256 * layer;
  const first = position * Math.ceil(kept.length / 2);
  for (let unit = 0; unit < kept.length; unit++) {
    const word = threefry2x32((unit & 1) as 0 | 1, seed, key, first + (unit >> 1), epoch);
    kept[unit] = word >= threshold ? 1 : 0;
  }
}
