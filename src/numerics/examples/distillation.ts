/**
 * Distillation of other networks (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015), at
 * temperature 1: the target of an example is (1 − w) q + w t, where q comes from its label and t is the mean of the
 * probabilities that the teachers give it.
 */

export interface Distillation {
  /** w, 0 < w ≤ 1. */
  readonly weight: number;
  /** t of every example, examples × classes, row-major; of the images without augmentation. */
  readonly targets: Float32Array;
}

/** q ← (1 − w) q + w t of the given example. */
export function distill(q: Float64Array, { weight, targets }: Distillation, example: number): void {
  const row = example * q.length;
  for (let k = 0; k < q.length; k++) q[k] = (1 - weight) * q[k]! + weight * targets[row + k]!;
}

/** Writes logits and probabilities, n × classes each, row-major, of `pixels`, n × d0. */
type Forward = (logits: Float32Array, probabilities: Float32Array, pixels: Uint8Array) => void;

/** Images per call, to bound the memory of the outputs. */
const CHUNK_IMAGES = 1000;

/**
 * Writes the mean of the teachers' probabilities of every image, images × classes, row-major. Teachers are added in their
 * order, so that the same ones give the same bits.
 */
export function averageTeachers(
  targets: Float32Array,
  teachers: readonly Forward[],
  pixels: Uint8Array,
  classes: number,
): void {
  const images = targets.length / classes;
  const inputs = pixels.length / images;
  const outputs = new Float32Array(2 * CHUNK_IMAGES * classes);
  for (let start = 0; start < images; start += CHUNK_IMAGES) {
    const end = Math.min(start + CHUNK_IMAGES, images);
    const count = (end - start) * classes;
    const [logits, probabilities] = [outputs.subarray(0, count), outputs.subarray(count, 2 * count)];
    const target = targets.subarray(start * classes, end * classes);
    for (const forward of teachers) {
      forward(logits, probabilities, pixels.subarray(start * inputs, end * inputs));
      for (let i = 0; i < count; i++) target[i]! += probabilities[i]! / teachers.length;
    }
  }
}
