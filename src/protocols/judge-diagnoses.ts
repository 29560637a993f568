/** Diagnoses of images that a calibration judges. */
import { type Diagnosis, withJudgement } from '../domain/predictions/diagnosis.ts';
import type { Guarantee, Outputs } from './codec.ts';

/** Judges the images of a diagnosis for which no coverage is requested: rarely are images like those of the calibration far. */
export const DIAGNOSIS: Guarantee = { coverage: 0.99, calibrated: false };

/** Without judgements the diagnoses stay as they are. */
export const judgeDiagnoses = (
  diagnoses: readonly Diagnosis[],
  { judgements }: Pick<Outputs, 'judgements'>,
): readonly Diagnosis[] =>
  judgements
    ? diagnoses.map((each, n) => withJudgement(each, judgements.reasons[n] === 'unlike-training-images'))
    : diagnoses;
