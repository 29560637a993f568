/** Decoded request → encoded response, on the main thread or in the predict thread. */

// The global of this name is a getter.
import { performance } from 'node:perf_hooks';
import { tallyJudgements } from '../numerics/calibration/judge.ts';
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import type { Codec, Decoded, EncodedResponse, LoadedCalibration, ServedModel } from './codec.ts';
import { computeOutputs } from './compute-outputs.ts';
import { DIAGNOSIS, judgeDiagnoses } from './judge-diagnoses.ts';
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
 * @param calibration null without a guarantee; a diagnosis uses it if it is given
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
  const coverage = guarantee?.coverage ?? null;
  const judging = diagnoses
    ? { ...DIAGNOSIS, ...guarantee, coverage: coverage ?? DIAGNOSIS.coverage }
    : (guarantee ?? null);
  const computed = computeOutputs(batch, forward, model, judging, calibration);
  const judgedDiagnoses = diagnoses && judgeDiagnoses(diagnoses, computed);
  // The response omits the parts that only the diagnoses use.
  const { calibration: used, judgements: all, ...plain } = computed;
  const judgements = coverage === null ? undefined : all;
  const outputs = {
    ...plain,
    ...(guarantee && used && { calibration: used }),
    ...(judgements && { judgements }),
  };
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
