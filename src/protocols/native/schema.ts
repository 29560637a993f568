/** Wire format of the native protocol: the query and the JSON response of `…/predictions`. */

import { z } from 'zod';
import { MAX_CLASSES } from '../../domain/datasets/representation.ts';
import { imageRowsSchema } from '../../domain/image-shape.ts';
import { coverageSchema, usedCalibrationSchema } from '../../domain/models/calibration.ts';
import { diagnosisSchema } from '../../domain/predictions/diagnosis.ts';
import { flag, imageQuery } from '../../domain/predictions/image-query.ts';
import { wholeNumber } from '../../domain/primitives.ts';
import { UNSURE_REASONS } from '../../numerics/calibration/judge.ts';

export const predictionQuerySchema = z.strictObject({
  topK: wholeNumber(1, MAX_CLASSES).optional().describe('Return the k most probable classes instead of all'),
  logits: flag.describe('Whether to include the logits'),
  input: flag.describe(
    'Whether to include the pixels that each prediction was computed from; at most 1,000 images',
  ),
  coverage: coverageSchema
    .optional()
    .describe(
      'Adds `classes` to each prediction: a set that contains the true class of a fraction of at least `coverage` of images like those ' +
        'of the calibration, and `unsure`. 409 without a calibration',
    ),
  calibrated: flag.describe(
    'Whether to divide the logits by the temperature of the calibration before the softmax',
  ),
  ...imageQuery,
});
export type PredictionQuery = z.output<typeof predictionQuerySchema>;

export interface PredictionOptions {
  readonly topK?: number | undefined;
  readonly logits: boolean;
  readonly input?: boolean;
}

const ranked = { label: z.int(), className: z.string(), probability: z.number() };

export const predictionsSchema = z
  .object({
    model: z.object({ name: z.string(), version: z.int() }),
    calibration: usedCalibrationSchema
      .optional()
      .describe('With coverage or calibrated only. If `reused` is true, the coverage is approximate'),
    predictions: z.array(
      z.object({
        ...ranked,
        file: z.string().optional().describe('Form only: the name of the file that held the image'),
        probabilities: z.array(z.number()).optional().describe('One per class; omitted with topK'),
        top: z.array(z.object(ranked)).optional().describe('With topK only; most probable first'),
        logits: z.array(z.number()).optional(),
        input: imageRowsSchema(z.number())
          .optional()
          .describe(
            'With input only: the decoded image, rows of pixels from 0 to 255, of three numbers in colour, after resizing and inversion by `fit` or by the ' +
              'preprocessing of the model',
          ),
        diagnosis: diagnosisSchema.optional().describe('With diagnose only'),
        classes: z
          .array(z.object(ranked))
          .optional()
          .describe('With coverage only: the set of classes, most probable first; it may be empty'),
        unsure: z
          .boolean()
          .optional()
          .describe(
            'With coverage only: false if the set has exactly one class and the image is like the training images',
          ),
        unsureBecause: z
          .enum(UNSURE_REASONS)
          .nullable()
          .optional()
          .describe('With coverage only: the first reason that applies; null for a sure prediction'),
      }),
    ),
  })
  .meta({ id: 'Predictions' });
export type Predictions = z.infer<typeof predictionsSchema>;
export type Prediction = Predictions['predictions'][number];
