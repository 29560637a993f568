/** Search request: the training request that is searched, what varies in it, and how. */
import { z } from 'zod';
import { networkSchema, seedSchema, trainingRequestSchema } from '../jobs/request.ts';
import { nameSchema } from '../models/reference.ts';
import { metadataSchema, newMetadataSchema } from '../primitives.ts';
import { publishSchema } from '../training/publication.ts';

export const MAX_SETTINGS = 1000;
const MAX_CHOICES = 100;
const MAX_REPEATS = 10;
/** A week, in seconds. */
const MAX_SECONDS = 604_800;

export const OBJECTIVES = ['validationLoss', 'validationAccuracy'] as const;
export type Objective = (typeof OBJECTIVES)[number];

/**
 * Fields as sent, documented by the schema that checks them: a setting is only complete, and its defaults are only known,
 * with the values that vary.
 */
function listFields(schema: z.ZodType) {
  const { properties } = z.toJSONSchema(schema, { io: 'input' });
  return z.record(z.string(), z.unknown()).meta({ properties, additionalProperties: false });
}

export function hasEqualChoices(choices: readonly unknown[]): boolean {
  return new Set(choices.map((choice) => JSON.stringify(choice))).size < choices.length;
}

export const variationSchema = z
  .strictObject({
    path: z
      .string()
      .max(200)
      .describe('JSON pointer into the training request, such as `/training/optimizer/learningRate`'),
    choices: z
      .array(z.unknown())
      .min(1)
      .max(MAX_CHOICES)
      .optional()
      .describe('The values; they may be whole objects'),
    min: z.number().optional().describe('Smallest value of a range, instead of `choices`'),
    max: z.number().optional().describe('Largest value of the range'),
    scale: z.enum(['linear', 'log']).optional().describe('Scale of the range, `linear` by default'),
    step: z
      .number()
      .gt(0)
      .optional()
      .describe(
        'The range holds only `min` plus multiples of it; without it, values have four significant digits',
      ),
    points: z
      .int()
      .min(2)
      .max(MAX_SETTINGS)
      .optional()
      .describe('Number of values of the range in a grid, both ends included'),
  })
  .superRefine(({ choices, min, max, scale, step, points }, context) => {
    const add = (message: string, ...path: string[]) => context.addIssue({ code: 'custom', path, message });
    if (choices !== undefined) {
      if ([min, max, scale, step, points].some((value) => value !== undefined)) {
        add('must have either choices, or min and max');
      }
      if (hasEqualChoices(choices)) {
        add('must not have the same choice twice', 'choices');
      }
    } else if (min === undefined || max === undefined) add('must have either choices, or min and max');
    else {
      if (min >= max) add(`must be greater than min (${min})`, 'max');
      if (scale === 'log' && min <= 0) add('must be greater than 0 with a logarithmic scale', 'min');
      if (step !== undefined && points !== undefined) add('must be left out with step', 'points');
    }
  });
export type Variation = z.output<typeof variationSchema>;

export const searchRequestSchema = z
  .strictObject({
    dataset: z.string().min(1).max(64).describe('Id of a data set'),
    modelName: nameSchema
      .optional()
      .describe('Model to publish the result under; by default the id of the data set'),
    seed: seedSchema
      .default(0)
      .describe('Seed of the proposals and of every trial, so all trials have the same validation images'),
    metadata: newMetadataSchema.default({}).describe('Metadata of the search and of its training jobs'),
    network: listFields(networkSchema).default({}).describe('As in a training request'),
    training: listFields(trainingRequestSchema.shape.training)
      .default({})
      .describe('As in a training request, with the epochs of a complete trial'),
    gradientCheck: z
      .boolean()
      .default(true)
      .describe('Whether a quick gradient check must pass before the first trial of each network shape'),
    vary: z.array(variationSchema).min(1).max(16).describe('What differs between the trials'),
    method: z
      .discriminatedUnion('type', [
        z
          .strictObject({ type: z.literal('grid') })
          .describe('Every combination; a range needs `points` or `step`'),
        z.strictObject({
          type: z.literal('random'),
          trials: z.int().min(2).max(MAX_SETTINGS).describe('Number of settings, all different'),
        }),
      ])
      .default({ type: 'grid' }),
    halving: z
      .strictObject({
        factor: z.int().min(2).max(16).default(3).describe('One of this many trials continues'),
        minEpochs: z.int().min(1).max(10_000).default(1).describe('Epochs until the first decision'),
      })
      .nullable()
      .default(null)
      .describe(
        'Successive halving: the best ⌊n / `factor`⌋ of the n trials continue from their checkpoints, at least one, and the others ' +
          'are stopped. The first decision is after `minEpochs`, and each later one after `factor` times as many epochs',
      ),
    objective: z.enum(OBJECTIVES).default('validationLoss'),
    repeats: z
      .int()
      .min(1)
      .max(MAX_REPEATS)
      .default(1)
      .describe('Trainings of each trial, with the seeds from `seed` on; trials are ranked by their mean'),
    parallel: z
      .int()
      .min(1)
      .max(64)
      .nullable()
      .default(null)
      .describe(
        'Largest number of trainings queued or running at once, by default the number of slots; null means the same. The result does not depend on it',
      ),
    budget: z
      .strictObject({
        epochs: z
          .int()
          .min(1)
          .max(1e9)
          .optional()
          .describe('Epochs of all trials together; reduces the number of random settings so that they fit'),
        seconds: z
          .number()
          .gt(0)
          .max(MAX_SECONDS)
          .optional()
          .describe(
            'Time since the start of the search, without the time in which it is paused. When it is used up, the search finishes ' +
              'as `POST …/finish` does, so its result depends on the clock. The final training may take longer',
          ),
      })
      .refine(({ epochs, seconds }) => epochs !== undefined || seconds !== undefined, {
        error: 'must have epochs, seconds or both',
      })
      .nullable()
      .default(null)
      .describe('Limits the trials of the search, not its final training'),
    final: z
      .strictObject({
        trainOn: z
          .enum(['everything', 'training-part'])
          .nullable()
          .default('everything')
          .describe(
            'Images of the final training. It has the best setting and publishes a version: `everything`, validation images ' +
              'included, or the `training-part`, for the parameters of the trial; null for no final training',
          ),
        testSet: z
          .enum(['every-epoch', 'once', 'never'])
          .default('once')
          .describe('When the final training is measured on the test images. Trials never are'),
        publish: publishSchema
          .prefault({})
          .describe(
            'What happens with the result of the final training, as in a training request. A training on `everything` has no ' +
              'validation images, so with `if-better` it does not replace a champion',
          ),
      })
      .prefault({}),
  })
  .meta({ id: 'SearchRequest' });

export type SearchRequest = z.output<typeof searchRequestSchema>;
export type ResolvedSearchRequest = SearchRequest & { readonly modelName: string };

export const resolvedSearchRequestSchema = z.object({
  ...searchRequestSchema.shape,
  modelName: nameSchema,
  metadata: metadataSchema.default({}),
});
