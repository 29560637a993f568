/** Coverage of the sets of classes of a version, measured on labelled images, as the API shows it. */
import { z } from 'zod';
import type { CoverageReport } from '../../numerics/calibration/coverage.ts';
import { type UsedCalibration, usedCalibrationSchema } from '../models/calibration.ts';
import { type VersionReference, versionReferenceSchema } from '../models/reference.ts';
import { type EvaluatedSplit, evaluatedOn } from './evaluation.ts';

const fraction = z.number().min(0).max(1);

export const coverageReportSchema = z
  .object({
    model: versionReferenceSchema,
    ...evaluatedOn,
    calibration: usedCalibrationSchema.describe('The calibration that makes the sets'),
    reused: z
      .boolean()
      .describe(
        'Whether some of these images also calibrated or trained the version. The measured figures are better than on new images then',
      ),
    levels: z.array(
      z.object({
        coverage: z.number().describe('The coverage that the sets are made for'),
        measured: fraction.describe('Fraction of the images whose set contains the true class'),
        meanSize: z.number().describe('Mean number of classes of a set'),
        unsure: fraction.describe('Fraction of the images whose prediction is unsure'),
        sureAccuracy: fraction
          .nullable()
          .describe('Fraction of the sure predictions that are correct; null if none is sure'),
      }),
    ),
    temperature: z.number().describe('Divisor of the logits'),
    expectedCalibrationError: z
      .object({ before: fraction, after: fraction })
      .describe('Of these images, without and with the temperature'),
  })
  .meta({ id: 'CoverageReport' });
export type ShownCoverage = z.infer<typeof coverageReportSchema>;

export interface MeasuredCoverage {
  readonly report: CoverageReport;
  readonly calibration: UsedCalibration & { readonly temperature: number };
  readonly reused: boolean;
}

export function describeCoverage(
  model: VersionReference,
  { dataset, split }: Pick<EvaluatedSplit, 'dataset' | 'split'>,
  { report, calibration: { temperature, ...calibration }, reused }: MeasuredCoverage,
): ShownCoverage {
  return { model, dataset, split, calibration, reused, temperature, ...report, levels: [...report.levels] };
}
