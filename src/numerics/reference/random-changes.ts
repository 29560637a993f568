/** What a training step changes at random: pictures before the first layer, and which units take part. */
import { augment, PIXELS, planAugmentation } from '../augment.ts';
import { dropoutMask, dropoutThreshold } from '../dropout.ts';
import type { Augmentation } from '../engine.ts';
import type { LayerSizes } from '../network.ts';
import type { DropoutMasks } from './example-pass.ts';

/** The masks of the example at `position` of the epoch, which the next call overwrites. */
export type DrawMasks = (epoch: number, position: number) => DropoutMasks;

/** null where nothing is dropped. */
export function createDrawMasks(sizes: LayerSizes, dropout: number, seed: number): DrawMasks | null {
  const threshold = dropoutThreshold(dropout);
  if (threshold === 0) return null;
  const kept = sizes.slice(1, -1).map((units) => new Uint8Array(units));
  const masks = { kept, scale: 1 / (1 - dropout) };
  return (epoch, position) => {
    for (let l = 0; l < kept.length; l++) dropoutMask(kept[l]!, seed, epoch, l + 1, position, threshold);
    return masks;
  };
}

/** Row `row` of `pixels` as it is seen at `position` of the epoch; the next call overwrites it. */
export type AugmentImage = (pixels: Uint8Array, row: number, epoch: number, position: number) => Uint8Array;

/**
 * null where pictures stay as they are.
 * @throws RangeError when they are to change but are not 28 × 28.
 */
export function createAugmentImage(
  sizes: LayerSizes,
  augmentation: Augmentation,
  seed: number,
): AugmentImage | null {
  const { horizontalFlip, shift, noise, erase } = augmentation;
  if (!horizontalFlip && shift === 0 && noise === 0 && erase === 0) return null;
  if (sizes[0] !== PIXELS) {
    throw new RangeError(`only pictures of ${PIXELS} pixels can be augmented, not of ${sizes[0]}`);
  }
  const plan = planAugmentation(augmentation);
  const changed = new Uint8Array(PIXELS);
  return (pixels, row, epoch, position) => {
    augment(changed, pixels, row * PIXELS, plan, seed, epoch, position);
    return changed;
  };
}
