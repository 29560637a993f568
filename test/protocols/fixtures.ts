/** A network of two classes for images of 2×2 pixels, and its calibration. */
import type { UsedCalibration } from '../../src/domain/models/calibration.ts';
import type { KernelForward } from '../../src/numerics/simd/kernel-forward.ts';
import type { LoadedCalibration, ServedModel } from '../../src/protocols/codec.ts';

export const MODEL: ServedModel = {
  reference: { name: 'm', version: 3 },
  architecture: { inputShape: [2, 2] },
  classNames: ['shirt', 'shoe'],
};

/** Two images. The network is sure of the first. */
export const PIXELS = Uint8Array.of(9, 0, 0, 0, 0, 7, 0, 0);

/** The probabilities are 0.9 and 0.1 for an image whose first pixel is light, else equal. Writes two hidden values. */
export const forward: KernelForward['forward'] = (logits, probabilities, pixels, hidden) => {
  for (let n = 0; n < pixels.length / 4; n++) {
    const isLight = pixels[4 * n]! > 0;
    probabilities.set(isLight ? [0.9, 0.1] : [0.5, 0.5], 2 * n);
    logits.set(isLight ? [Math.log(9), 0] : [0, 0], 2 * n);
    hidden?.set([1, 0], 2 * n);
  }
};

const space = (size: number) => ({
  mean: new Float32Array(size),
  components: new Float32Array(0),
  points: new Float32Array(0),
});

/** Halves the logits. With a coverage of 0.5, a set has the classes of at least 0.85. Only constant images are outliers. */
export const CALIBRATION: LoadedCalibration = {
  temperature: 2,
  trueProbabilities: Float32Array.of(1, 0.85, 0.05),
  highest: Float32Array.of(0.85, 0.95, 1),
  second: Float32Array.of(0, 0.05, 0.15),
  outliers: {
    spaces: [space(4), space(2)],
    scores: [new Float32Array(3), new Float32Array(3), new Float32Array(3)],
    combined: new Float32Array(3),
  },
  used: { images: 3 } as unknown as UsedCalibration,
  digest: 'sha256:0',
};
