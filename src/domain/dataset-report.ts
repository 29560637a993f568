/** What was found in the files of a data set when it was uploaded. */
import { z } from 'zod';

/** Of duplicates, how many pairs are named. */
export const MAX_PAIRS = 5;

const arraySchema = z.object({
  part: z.string().describe('Name of the form’s part, or of the array in an npz'),
  format: z.enum(['npy', 'idx']),
  dtype: z.string().describe('NumPy’s name, as u1 or f4'),
  shape: z.array(z.int()),
  minimum: z.number().describe('Of the numbers as they were sent'),
  maximum: z.number(),
});
export type ArrayReport = z.infer<typeof arraySchema>;

const duplicatesSchema = z.object({
  images: z.int().describe('Images all of whose pixels are those of another'),
  withOtherLabel: z.int().describe('Of them, those that have another label'),
  first: z
    .array(z.tuple([z.int(), z.int()]))
    .max(MAX_PAIRS)
    .describe('Indices of the first few: the earlier image, and the one that repeats it'),
});
export type Duplicates = z.infer<typeof duplicatesSchema>;

export const DATASET_WARNINGS = [
  'dark-images',
  'rounded-pixels',
  'unbalanced-classes',
  'class-not-tested',
  'test-images-in-train',
  'contradictory-labels',
  'constant-images',
] as const;

export const datasetReportSchema = z
  .object({
    arrays: z.array(arraySchema),
    pixels: z
      .object({
        range: z.enum(['0-255', '0-1']).describe('How floats were taken: 0-1 where none is greater than 1'),
        rounded: z.int().describe('Pixels that were no whole number of 0–255, and are the nearest one now'),
      })
      .describe('Every pixel is kept as a byte'),
    heldOut: z
      .object({ fraction: z.number(), seed: z.int() })
      .nullable()
      .describe(
        'How the test images were chosen among those that were sent; null where they were sent apart',
      ),
    duplicates: z.object({
      train: duplicatesSchema.describe('Training images that repeat an earlier one'),
      test: duplicatesSchema.describe('Test images that repeat an earlier one'),
      across: duplicatesSchema.describe(
        'Test images that are training images too; indices of train, then test',
      ),
    }),
    constantImages: z
      .object({ train: z.int(), test: z.int() })
      .describe('Images all of whose pixels are the same'),
    warnings: z.array(z.object({ code: z.enum(DATASET_WARNINGS), message: z.string() })),
  })
  .meta({ id: 'DatasetReport' });
export type DatasetReport = z.infer<typeof datasetReportSchema>;
