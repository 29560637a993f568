/** Decoded request → encoded response, on the main thread or in the predict thread. */

// The global of this name is a getter.
import { performance } from 'node:perf_hooks';
import { withJudgement } from '../domain/predictions/diagnosis.ts';
import { tallyJudgements } from '../numerics/calibration/judge.ts';
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import type { Codec, Decoded, EncodedResponse, LoadedCalibration, ServedModel } from './codec.ts';
import { computeOutputs } from './compute-outputs.ts';
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
 * @param calibration null without a guarantee
 * @returns also the milliseconds of the phases
 * @throws AtelierError see `Codec.encode`
 */
export function computeResponse<Format>(
  codec: Pick<Codec<never, Format>, 'encode'>,
  { batch, responseFormat, diagnoses, guarantee }: Decoded<Format>,
  forward: KernelForward['forward'],
  model: ServedModel,
  startedAt: number,
  calibration: LoadedCalibration | null = null,
): { response: EncodedResponse; tally: PredictionTally; compute: number; serialise: number } {
  const outputs = computeOutputs(batch, forward, model, guarantee ?? null, calibration);
  const { judgements } = outputs;
  const judgedDiagnoses = judgements
    ? diagnoses?.map((each, n) => withJudgement(each, judgements.reasons[n] === 'unlike-training-images'))
    : diagnoses;
  const computedAt = performance.now();
  const response = codec.encode({ ...outputs, diagnoses: judgedDiagnoses ?? null }, responseFormat, model);
  const serialisedAt = performance.now();
  const judged = judgements ? tallyJudgements(judgements) : null;
  return {
    response,
    tally: tallyPredictions(outputs.probabilities, model.classNames.length, judgedDiagnoses, judged),
    compute: computedAt - startedAt,
    serialise: serialisedAt - computedAt,
  };
}
