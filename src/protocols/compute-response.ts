/** Decoded request → encoded response, on the main thread or in the predict thread. */

// The global of this name is a getter.
import { performance } from 'node:perf_hooks';
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import type { Codec, Decoded, EncodedResponse, ServedModel } from './codec.ts';
import { type PredictionTally, tallyPredictions } from './prediction-tally.ts';

/** Duration of each phase of a prediction; `wait` is the time until a thread starts the task. */
export interface PhaseMs {
  readonly wait: number;
  readonly decode: number;
  readonly compute: number;
  readonly serialise: number;
}

/**
 * @param startedAt start of the forward pass
 * @returns also the milliseconds of the phases
 * @throws AtelierError see `Codec.encode`
 */
export function computeResponse<Format>(
  codec: Pick<Codec<never, Format>, 'encode'>,
  { batch, responseFormat, diagnoses }: Decoded<Format>,
  forward: KernelForward['forward'],
  model: ServedModel,
  startedAt: number,
): { response: EncodedResponse; tally: PredictionTally; compute: number; serialise: number } {
  const logits = new Float32Array(batch.count * model.classNames.length);
  const probabilities = new Float32Array(logits.length);
  forward(logits, probabilities, batch.pixels);
  const computedAt = performance.now();
  const response = codec.encode({ probabilities, logits }, responseFormat, model);
  const serialisedAt = performance.now();
  return {
    response,
    tally: tallyPredictions(probabilities, model.classNames.length, diagnoses),
    compute: computedAt - startedAt,
    serialise: serialisedAt - computedAt,
  };
}
