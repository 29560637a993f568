/** Epoch records and progress: the figures of a training run. */
import { z } from 'zod';
import type { EpochWarning } from '../../numerics/training/epoch-warnings.ts';

export const epochRecordSchema = z
  .object({
    epoch: z.int().min(1),
    trainLoss: z
      .number()
      .describe(
        'Mean cross-entropy over the batches of the epoch, in nats. Each batch is measured before its update, with dropout, augmentation and mixup',
      ),
    trainAccuracy: z
      .number()
      .describe(
        'Accuracy over the batches of the epoch, measured like trainLoss. For the accuracy without dropout, augmentation and mixup, use `evaluation?split=train`',
      ),
    validationLoss: z.number().nullable(),
    validationAccuracy: z.number().nullable(),
    testLoss: z
      .number()
      .nullable()
      .describe(
        'Mean cross-entropy on the test split; never used to select an epoch. null unless `testSet` is `every-epoch`',
      ),
    testAccuracy: z.number().nullable(),
    learningRate: z.number().describe("Learning rate of the epoch's last step"),
    gradientNorm: z
      .number()
      .describe("2-norm of the objective's gradient on the epoch's last batch, before clipping"),
    weightNorm: z.number().describe('2-norm of all weights, without biases'),
    deadUnits: z
      .array(z.number())
      .describe(
        'For each convolution the fraction of channels, then for each hidden layer that of units, whose values after a ReLU are zero on all of the first 1,024 training images',
      ),
    durationMs: z.number().describe('Duration of the training steps'),
    evaluationMs: z.number().describe('Duration of the measurements after the steps'),
  })
  .meta({ id: 'EpochRecord' });

export type EpochRecord = z.infer<typeof epochRecordSchema>;

export interface FinishedEpoch {
  readonly record: EpochRecord;
  readonly warnings: readonly EpochWarning[];
}

export const progressSchema = z.object({
  epoch: z.int().describe('Current epoch, from 1; 0 before the first'),
  epochs: z.int(),
  step: z.int().describe('Steps done'),
  steps: z.int(),
  fraction: z.number().min(0).max(1).describe('`step` ÷ `steps`. A training can end before it is 1'),
  imagesPerSecond: z.number().nullable(),
  etaSeconds: z
    .number()
    .nullable()
    .describe('Estimated time left; null before the first step, 0 once the job has ended'),
});

export type Progress = z.infer<typeof progressSchema>;
