/** Report on an uploaded data set: its arrays, pixel range, duplicates and warnings. */
import { z } from 'zod';

/** The number of duplicate pairs that a report lists. */
export const MAX_PAIRS = 5;
/** The number of files of an archive that a report or an error lists. */
export const MAX_LISTED_FILES = 10;

const arraySchema = z.object({
  part: z.string().describe('Name of the form part, or of the array in an npz'),
  format: z.enum(['npy', 'idx', 'csv', 'parquet', 'cifar']),
  dtype: z.string().describe('NumPy type code, such as u1 or f4'),
  shape: z.array(z.int()),
  minimum: z.number().describe('Smallest number in the array as sent'),
  maximum: z.number().describe('Largest number in the array as sent'),
});
export type ArrayReport = z.infer<typeof arraySchema>;

const duplicatesSchema = z.object({
  images: z.int().describe('Number of images whose pixels all equal the pixels of an earlier image'),
  withOtherLabel: z
    .int()
    .describe('Number of these images whose label differs from the label of the earlier image'),
  first: z
    .array(z.tuple([z.int(), z.int()]))
    .max(MAX_PAIRS)
    .describe('Indices of the first pairs: the earlier image, then its repetition'),
});
export type Duplicates = z.infer<typeof duplicatesSchema>;

const size = z.tuple([z.int(), z.int()]);

const listedFiles = z.array(z.string()).max(MAX_LISTED_FILES);

const archiveSchema = z.object({
  layout: z
    .string()
    .optional()
    .describe('How the paths were understood, such as split/class/file; missing in older reports'),
  table: z
    .object({
      files: z.array(z.string()),
      rows: z.int(),
      withoutFile: z.object({ rows: z.int(), first: listedFiles }).describe('Rows that name no image'),
      withoutRow: z
        .object({ files: z.int(), first: listedFiles })
        .describe('Images that no row names: left out'),
    })
    .optional()
    .describe('The table beside the images that has their classes'),
  damaged: z
    .object({
      images: z.int(),
      first: z.array(z.object({ path: z.string(), reason: z.string() })).max(MAX_LISTED_FILES),
    })
    .optional()
    .describe('Images that cannot be decoded: left out with `damaged=skip`; missing in older reports'),
  images: z.int(),
  imagesPerClass: z.array(z.int()).describe('In the order of classNames, all splits together'),
  smallest: size.describe('Smallest width and smallest height in pixels, before resizing'),
  largest: size.describe('Largest width and largest height'),
  ignored: z
    .object({ files: z.int(), first: listedFiles })
    .describe('Files that are not images: their number, and the first of them'),
});

export const DATASET_WARNINGS = [
  'unread-images',
  'unread-entries',
  'dark-images',
  'rounded-pixels',
  'unbalanced-classes',
  'class-not-tested',
  'test-images-in-train',
  'validation-images-in-train',
  'test-images-in-validation',
  'contradictory-labels',
  'constant-images',
] as const;

export const datasetReportSchema = z
  .object({
    arrays: z.array(arraySchema),
    pixels: z
      .object({
        range: z
          .enum(['0-255', '0-1'])
          .describe('Range assumed for floats: 0-1 if none is greater than 1, else 0-255'),
        rounded: z.int().describe('Number of pixels that were rounded to a whole number from 0 to 255'),
      })
      .describe('Conversion of the pixels; each is stored as one byte'),
    heldOut: z
      .object({ fraction: z.number(), seed: z.int() })
      .nullable()
      .describe(
        'How the test images were split off from the training images; null if they were sent separately',
      ),
    imageShape: z.string().optional().describe('For images in class folders: how their shape was chosen'),
    archive: archiveSchema
      .optional()
      .describe('For images in class folders: what the archive held; arrays is then empty'),
    duplicates: z.object({
      train: duplicatesSchema.describe('Training images that repeat an earlier training image'),
      test: duplicatesSchema.describe('Test images that repeat an earlier test image'),
      across: duplicatesSchema.describe(
        'Test images that are also training images; pairs are (training index, test index)',
      ),
      validation: duplicatesSchema
        .optional()
        .describe('With a validation split, its images that repeat an earlier image of it'),
      validationInTrain: duplicatesSchema
        .optional()
        .describe(
          'Validation images that are also training images; pairs are (training index, validation index)',
        ),
      testInValidation: duplicatesSchema
        .optional()
        .describe('Test images that are also validation images; pairs are (validation index, test index)'),
    }),
    constantImages: z
      .object({ train: z.int(), validation: z.int().optional(), test: z.int() })
      .describe('Number of images whose pixels are all equal'),
    warnings: z.array(z.object({ code: z.enum(DATASET_WARNINGS), message: z.string() })),
  })
  .meta({ id: 'DatasetReport' });
export type DatasetReport = z.infer<typeof datasetReportSchema>;
