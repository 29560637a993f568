/** Images → the serialised answer, on whichever thread computes them. */
import type { ImageBatch } from '../datasets/image-batch.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { describePredictions, type PredictionOptions } from '../domain/prediction.ts';
import { npyBytes } from '../formats/npy.ts';
import type { KernelForward } from '../numerics/simd/forward.ts';
import type { ServedNetwork } from './messages.ts';

/** JSON text, or the (n, classes) float32 matrix of probabilities as npy, and how long it took. */
export function answerPredictions(
  { reference, classNames }: ServedNetwork,
  forward: KernelForward['forward'],
  { count, pixels }: ImageBatch,
  options: PredictionOptions,
  format: 'json' | 'npy',
  diagnoses: readonly Diagnosis[] | null = null,
): { answer: string | Uint8Array; computeMs: number; serialiseMs: number } {
  const startedAt = performance.now();
  const logits = new Float32Array(count * classNames.length);
  const probabilities = new Float32Array(logits.length);
  forward(logits, probabilities, pixels);
  const computedAt = performance.now();
  const answer =
    format === 'npy'
      ? npyBytes(probabilities, [count, classNames.length])
      : JSON.stringify(describePredictions(reference, classNames, probabilities, logits, options, diagnoses));
  return { answer, computeMs: computedAt - startedAt, serialiseMs: performance.now() - computedAt };
}
