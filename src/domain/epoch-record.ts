/** What is measured of a training run. */
import { z } from 'zod';

export const epochRecordSchema = z
  .object({
    epoch: z.int().min(1),
    trainLoss: z
      .number()
      .describe(
        'Mean of the cross-entropy over the batches of the epoch, in nats, with dropout and augmentation, each before its update',
      ),
    trainAccuracy: z.number().describe('In the same way; `evaluation?split=train` measures undisturbed'),
    validationLoss: z.number().nullable(),
    validationAccuracy: z.number().nullable(),
    testLoss: z.number().describe('Measured every epoch, never used to choose'),
    testAccuracy: z.number(),
    learningRate: z.number().describe("Rate of the epoch's last step"),
    gradientNorm: z
      .number()
      .describe("2-norm of the objective's gradient on the epoch's last batch, before clipping"),
    weightNorm: z.number().describe('2-norm of all weights, biases excepted'),
    deadUnits: z
      .array(z.number())
      .describe(
        'Share of ReLU units of each hidden layer that are zero on all of the first 1,024 training images',
      ),
    durationMs: z.number().describe('Training steps only'),
    evaluationMs: z.number().describe('All that is measured after the steps'),
  })
  .meta({ id: 'EpochRecord' });

export type EpochRecord = z.infer<typeof epochRecordSchema>;

export const progressSchema = z.object({
  epoch: z.int().describe('Epoch at work, from 1; 0 before the first'),
  epochs: z.int(),
  step: z.int().describe('Steps done'),
  steps: z.int(),
  fraction: z.number().min(0).max(1),
  imagesPerSecond: z.number().nullable(),
  etaSeconds: z.number().nullable(),
});

export type Progress = z.infer<typeof progressSchema>;

/** Whether an epoch takes the place of the best so far: by validation loss, or training loss where nothing is held out. */
export function isImprovement(record: EpochRecord, best: EpochRecord | null): boolean {
  return best === null || selectionLoss(record) < selectionLoss(best);
}

/** The loss by which the best epoch is chosen: of validation, or of training where nothing is held out. */
export function selectionLoss({
  validationLoss,
  trainLoss,
}: Pick<EpochRecord, 'validationLoss' | 'trainLoss'>): number {
  return validationLoss ?? trainLoss;
}
