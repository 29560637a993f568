/** The multipart form that uploads a data set: names of its file parts, schema of its fields. */
import { z } from 'zod';
import { requestedShapeText } from '../image-shape.ts';
import { BACKGROUNDS, FITS, preprocessingSchema } from '../predictions/preprocessing.ts';
import { decimalNumber, namesText, wellFormed } from '../primitives.ts';
import { MAX_CLASSES, MIN_CLASSES } from './representation.ts';

/** Name of the form part that holds everything in one archive: arrays in an npz, or images in class folders. */
export const NPZ_PART = 'file';

/** Names of form parts with one array each, and of arrays in an npz. The second name of each is the one Keras uses. */
export const ARRAY_NAMES = {
  trainImages: ['train_images', 'x_train'],
  trainLabels: ['train_labels', 'y_train'],
  valImages: ['val_images', 'x_val'],
  valLabels: ['val_labels', 'y_val'],
  testImages: ['test_images', 'x_test'],
  testLabels: ['test_labels', 'y_test'],
} as const satisfies Record<string, readonly string[]>;

/** Names of form parts with the table of one split each. */
export const SPLIT_PARTS = ['train', 'val', 'test'] as const;

export const FILE_PARTS: readonly string[] = [NPZ_PART, ...Object.values(ARRAY_NAMES).flat(), ...SPLIT_PARTS];

const text = (maximum: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .regex(/^\P{Cc}*$/u, 'must have no control characters')
    .refine(...wellFormed);

export const classNamesSchema = z
  .array(text(100))
  .min(MIN_CLASSES)
  .max(MAX_CLASSES)
  .refine((names) => new Set(names).size === names.length, 'must not contain the same name twice');

/** A field that applies to images in class folders only; null if it was not sent. */
const forImages = <T extends z.ZodType>(schema: T, otherwise: string, description: string) =>
  schema
    .nullable()
    .default(null)
    .describe(`Images in folders only, by default \`${otherwise}\`. ${description}`);

const column = (what: string, names: string) =>
  text(200)
    .nullable()
    .default(null)
    .describe(`Column of the table beside the images that ${what}; by default the one named like ${names}`);

/** With a larger one, fewer images are left for the training than for the test. */
export const MAX_TEST_FRACTION = 0.5;

/** Fields of the form; all arrive as text. The contract shows them with their metadata. */
export const datasetFieldsSchema = z.strictObject({
  name: text(100)
    .nullable()
    .default(null)
    .meta({
      minLength: 1,
      maxLength: 100,
      description: 'Display name; need not be unique',
      examples: ['Digits'],
    }),
  classNames: namesText(classNamesSchema)
    .nullable()
    .default(null)
    .describe(
      `${MIN_CLASSES} to ${MAX_CLASSES} different names in the order of the labels, separated by commas: zero,one,two. Names that contain commas need a JSON array: ["zero", "one", "two"]. Surrounding spaces are removed. Default: the names of the class folders, sorted; for arrays "0", "1", … up to the highest label`,
    ),
  testFraction: decimalNumber(0.05, MAX_TEST_FRACTION)
    .nullable()
    .default(null)
    .describe(
      'A number from 0.05 to 0.5, such as 0.2, if no test images are sent: this fraction of every class becomes the test split',
    ),
  seed: z
    .string()
    .regex(/^\d+$/, 'must be a whole number from 0 to 4294967295')
    .transform(Number)
    .pipe(z.int().max(2 ** 32 - 1))
    .default(0)
    .meta({
      description: 'Seed of the random choice of the test split: an integer from 0 to 2³² − 1',
      default: '0',
    }),
  imageShape: requestedShapeText,
  labels: z
    .enum(['filename', 'table', 'fine', 'coarse'])
    .nullable()
    .default(null)
    .describe(
      'Where an archive of images has their classes: `filename` is the text before the number, as in dog_0.png, `table` a CSV or TSV beside the images. By default the folders, or else a table. Of CIFAR-100 `fine`, the default, or `coarse`',
    ),
  damaged: z
    .enum(['reject', 'skip'])
    .nullable()
    .default(null)
    .describe(
      'Whether images of an archive that cannot be decoded reject it, as by default, or are left out, up to half of a class: the report then lists them',
    ),
  dryRun: z
    .enum(['true', 'false'])
    .default('false')
    .describe(
      '`true` checks the files and answers as the upload would, with sample images; nothing is stored, and an Idempotency-Key has no effect',
    ),
  fileColumn: column(
    'names the files, or of a Parquet file has the images',
    'file, filename, path, image or id',
  ),
  labelColumn: column('has the classes', 'label, class, category or target'),
  splitColumn: column('has train, val or test', 'split, if there is one'),
  fit: forImages(z.enum(FITS), 'contain', preprocessingSchema.shape.fit.description!),
  background: forImages(z.enum(BACKGROUNDS), 'auto', preprocessingSchema.shape.background.description!),
  invert: forImages(
    z.enum(['auto', 'never', 'always']),
    'auto',
    'Whether pixels become 255 − pixel; `auto` inverts if most images have a light border',
  ),
});
export type DatasetFields = z.infer<typeof datasetFieldsSchema>;
