/** The activation after a convolution, on one example. */

import type { ActivationFunction } from '../../network/activations.ts';
import { type Volume, volumeSize } from '../../network/architecture.ts';
import { createValues, type ReferenceLayer, type Values } from './interface.ts';

export interface ActivationLayer extends ReferenceLayer {
  /** `alive` (channels) ← 1 for each channel in which a value or a derivative is not 0. */
  markAlive(alive: Uint8Array): void;
}

/** a = act(z);  dz = da ⊙ act'(z) */
export function createActivation(below: Values, volume: Volume, act: ActivationFunction): ActivationLayer {
  const values = createValues(volumeSize(volume));
  const { output: a, dOutput: da } = values;
  const { output: z, dOutput: dz } = below;
  const plane = volume.height * volume.width;
  const pieces = new Uint8Array(act.hasKink ? a.length : 0);
  return {
    ...values,
    ...(act.hasKink && { pieces }),
    forward() {
      for (let p = 0; p < a.length; p++) a[p] = act.value(z[p]!);
      for (let p = 0; p < pieces.length; p++) pieces[p] = z[p]! > 0 ? 1 : 0;
    },
    backward() {
      for (let p = 0; p < a.length; p++) dz[p] = da[p]! * act.derivative(z[p]!, a[p]!);
    },
    markAlive(alive) {
      for (let p = 0; p < a.length; p++) {
        if (a[p] !== 0 || act.derivative(z[p]!, a[p]!) !== 0) alive[Math.floor(p / plane)] = 1;
      }
    },
  };
}
