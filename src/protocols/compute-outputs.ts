/** The outputs of a network for a batch, and what a calibration says about them. */
import type { ImageBatch } from '../images/batch.ts';
import { judgeImages } from '../numerics/calibration/judge.ts';
import { temperedProbabilities } from '../numerics/calibration/temperature.ts';
import { valueCount } from '../numerics/network/image-shape.ts';
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import type { Guarantee, LoadedCalibration, Outputs, ServedModel } from './codec.ts';

/** @param calibration null without a guarantee */
export function computeOutputs(
  { count, pixels }: ImageBatch,
  forward: KernelForward['forward'],
  { architecture: { inputShape }, classNames: { length: classes } }: ServedModel,
  guarantee: Guarantee | null,
  calibration: LoadedCalibration | null,
): Outputs {
  const logits = new Float32Array(count * classes);
  const probabilities = new Float32Array(logits.length);
  if (guarantee === null || calibration === null) {
    forward(logits, probabilities, pixels);
    return { probabilities, logits };
  }
  const units = calibration.outliers.spaces[1]?.mean.length ?? 0;
  const hidden = new Float32Array(count * units);
  forward(logits, probabilities, pixels, hidden);
  const { coverage, calibrated } = guarantee;
  const observed = { pixels, logits, hidden };
  return {
    logits,
    // The sets are those of the plain probabilities, so they do not depend on `calibrated`.
    probabilities: calibrated
      ? temperedProbabilities(logits, classes, calibration.temperature)
      : probabilities,
    calibration: calibration.used,
    ...(coverage !== null && {
      judgements: judgeImages(calibration, coverage, observed, probabilities, valueCount(inputShape)),
    }),
  };
}

/** The outputs for all images of parts that follow each other, at least one. */
export function joinOutputs(parts: readonly Outputs[]): Outputs {
  const judged = parts.flatMap(({ judgements }) => judgements ?? []);
  return {
    ...parts[0]!,
    probabilities: new Float32Array(join(parts.map(({ probabilities }) => probabilities))),
    logits: new Float32Array(join(parts.map(({ logits }) => logits))),
    ...(judged.length > 0 && {
      judgements: {
        ...judged[0]!,
        sets: new Uint8Array(join(judged.map(({ sets }) => sets))),
        reasons: judged.flatMap(({ reasons }) => reasons),
      },
    }),
  };
}

/** The bytes of arrays, one after the other. */
function join(arrays: readonly ArrayBufferView[]): ArrayBuffer {
  const joined = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let end = 0;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    joined.set(new Uint8Array(buffer, byteOffset, byteLength), end);
    end += byteLength;
  }
  return joined.buffer;
}

/** The arrays of outputs whose memory can be moved to another thread. */
export const outputBuffers = ({ probabilities, logits, judgements }: Outputs) =>
  judgements ? [probabilities, logits, judgements.sets] : [probabilities, logits];

/** Cost of the comparison of an image with the training images, in multiply-adds of the kernel, which take a quarter of the time. */
export function outlierCost({ outliers }: Pick<LoadedCalibration, 'outliers'>): number {
  // About a tenth of the coordinates of the points is read.
  return outliers.spaces.reduce(
    (sum, { components, points }) => sum + 4 * (components.length + points.length / 10),
    0,
  );
}
