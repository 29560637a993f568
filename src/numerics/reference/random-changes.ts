/** Random changes of a training step: augmented images and dropout masks. */

import { augment, planAugmentation } from '../examples/augment.ts';
import { dropoutMask, dropoutThreshold } from '../examples/dropout.ts';
import type { Architecture } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import type { EngineSettings } from '../training/engine.ts';
import type { DropoutMasks } from './example-pass.ts';

/** Returns the masks of the example at `position` of the epoch; the next call overwrites them. */
export type DrawMasks = (epoch: number, position: number) => DropoutMasks;

/** Returns null without dropout. */
export function createDrawMasks(architecture: Architecture, dropout: number, seed: number): DrawMasks | null {
  const threshold = dropoutThreshold(dropout);
  if (threshold === 0) return null;
  const kept = architecture.hidden.map((units) => new Uint8Array(units));
  const masks = { kept, scale: 1 / (1 - dropout) };
  return (epoch, position) => {
    for (let l = 0; l < kept.length; l++) dropoutMask(kept[l]!, seed, epoch, l + 1, position, threshold);
    return masks;
  };
}

/** Returns row `row` of `pixels`, augmented for `position` of the epoch; the next call overwrites it. */
export type AugmentImage = (pixels: Uint8Array, row: number, epoch: number, position: number) => Uint8Array;

/** Returns null without augmentation. */
export function createAugmentImage({
  architecture,
  augmentation,
  seed,
}: Pick<EngineSettings, 'architecture' | 'augmentation' | 'seed'>): AugmentImage | null {
  const { inputShape } = architecture;
  const plan = planAugmentation(augmentation, inputShape);
  if (plan === null) return null;
  const inputs = valueCount(inputShape);
  const changed = new Uint8Array(inputs);
  return (pixels, row, epoch, position) => {
    augment(changed, pixels, row * inputs, plan, seed, epoch, position);
    return changed;
  };
}
