/** Publication of a training's result: whether it becomes a version, and whether that becomes the champion. */
import { z } from 'zod';
import { MCNEMAR_METHODS } from '../../numerics/evaluation/mcnemar.ts';
import { SIGNIFICANCE, VERDICTS } from '../checks/verdict.ts';

const PROMOTIONS = ['never', 'if-better', 'always'] as const;

export const publishSchema = z.strictObject({
  promote: z
    .enum(PROMOTIONS)
    .default('never')
    .describe(
      'Whether the version becomes the champion of the model: `never` unless it is the first version of the model; `if-better` if ' +
        `McNemar's test on validation images that neither the version nor the champion was trained on gives p < ${SIGNIFICANCE}; or \`always\`. ` +
        'Without a champion, both `if-better` and `always` set it. Both require the scope `promote`',
    ),
  evenIfNotLearned: z
    .boolean()
    .default(false)
    .describe(
      'Whether to publish a version although its accuracy does not exceed the fraction of the largest class',
    ),
});
export type PublishOptions = z.output<typeof publishSchema>;
export const DEFAULT_PUBLISH: PublishOptions = publishSchema.parse({});

const fraction = z.number().min(0).max(1);

export const championComparisonSchema = z.object({
  champion: z.int().describe('Version that was the champion'),
  examples: z.int().describe('Number of validation images that neither version was trained on'),
  verdict: z.enum(VERDICTS).describe('From the view of the new version'),
  accuracy: z.object({ version: fraction, champion: fraction }),
  counts: z
    .object({ n00: z.int(), n01: z.int(), n10: z.int(), n11: z.int() })
    .describe(
      'Number of images classified correctly by neither (n00), only the champion (n01), only the new version (n10), and both (n11)',
    ),
  mcnemar: z.object({
    method: z.enum(MCNEMAR_METHODS),
    statistic: z.number().nullable(),
    pValue: fraction,
  }),
});
export type ChampionComparison = z.infer<typeof championComparisonSchema>;

const decision = {
  reason: z.string().describe('The decision, as one sentence with its numbers'),
  comparison: championComparisonSchema.nullable().describe('null if the two versions were not compared'),
};

export const publicationSchema = z.object({
  version: z.int().nullable().describe('The published version; null if the training did not learn'),
  promoted: z.boolean().describe('Whether the version became the champion'),
  testAccuracy: fraction
    .nullable()
    .optional()
    .describe(
      'Accuracy of the published version on the test split; null if it was not measured, absent for jobs of earlier releases',
    ),
  warning: z
    .string()
    .optional()
    .describe('Given if the champion before was calibrated, and the version that replaces it is not'),
  ...decision,
});
export type Publication = z.infer<typeof publicationSchema>;

/** A promotion as the history of the alias shows it. */
export const promotionSchema = z.object({
  jobId: z.string().nullable().describe('Training job that published the version'),
  ...decision,
});
export type Promotion = z.infer<typeof promotionSchema>;
