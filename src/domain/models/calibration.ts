/** Calibration of a version: what predictions with a guarantee need, and how it was computed. */
import { z } from 'zod';
import { SPLITS } from '../datasets/representation.ts';
import { decimalNumber } from '../primitives.ts';

/** Calibration on given images. */
export const calibrationRequestSchema = z
  .strictObject({
    dataset: z
      .string()
      .max(64)
      .optional()
      .describe('Id of the data set; by default the one that the version was trained on'),
    split: z
      .enum(SPLITS)
      .default('test')
      .describe(
        'Split of the calibration images: `test`, whose first use is a look, `validation`, if the data set has such a split, or `train`: every second image of it if the others are compared with, else all',
      ),
  })
  .meta({ id: 'CalibrationRequest' });
export type CalibrationRequest = z.output<typeof calibrationRequestSchema>;

export const MIN_COVERAGE = 0.5;
export const MAX_COVERAGE = 0.999;
/** In a query. */
export const coverageSchema = decimalNumber(MIN_COVERAGE, MAX_COVERAGE);

const fraction = z.number().min(0).max(1);
const change = <T extends z.ZodType>(value: T) => z.object({ before: value, after: value });

export const calibrationSchema = z
  .object({
    dataset: z.string().describe('Data set of the calibration images'),
    split: z
      .enum(SPLITS)
      .describe(
        'Split of the calibration images; `validation` are the ones that the training held out, or the validation split of the data set',
      ),
    images: z.int().describe('Number of calibration images'),
    trainingImages: z
      .int()
      .describe(
        'Number of training images that an image is compared with: of the data set in `lineage`, or of `dataset` if that one is unknown or deleted',
      ),
    reused: z
      .boolean()
      .describe(
        'Whether the calibration images also trained the version, chose its epoch or setting, or stopped its training. The coverage is approximate then',
      ),
    temperature: z
      .number()
      .describe('Divisor of the logits with which the probabilities match the frequencies best'),
    loss: change(z.number()).describe('Mean cross-entropy in nats, without and with the temperature'),
    expectedCalibrationError: change(fraction).describe('The same for |accuracy − confidence|'),
    warning: z.string().nullable().describe('What limits the coverage, as one sentence'),
    digest: z.string().describe('`sha256:` and the digest of the stored arrays'),
  })
  .meta({ id: 'Calibration' });
export type Calibration = z.infer<typeof calibrationSchema>;

/** The calibration that a prediction used. */
export const usedCalibrationSchema = calibrationSchema.pick({
  dataset: true,
  split: true,
  images: true,
  reused: true,
});
export type UsedCalibration = z.infer<typeof usedCalibrationSchema>;
