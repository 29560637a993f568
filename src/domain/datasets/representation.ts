/** Data sets of small images, grey or in colour. */
import { z } from 'zod';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import { imageShapeSchema } from '../image-shape.ts';
import { preprocessingSchema } from '../predictions/preprocessing.ts';
import { datasetReportSchema } from './report.ts';

export const MIN_CLASSES = 2;
export const MAX_CLASSES = 1000;
export const SPLITS = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof SPLITS)[number];

/** A data set in shared memory; every thread reads the same bytes. */
export interface Dataset {
  readonly id: string;
  readonly imageShape: ImageShape;
  readonly classNames: readonly string[];
  readonly train: Examples;
  /** null if the data set has no validation split. */
  readonly validation: Examples | null;
  /** The training images and the validation images after them, as views of the same memory. */
  readonly learning: Examples;
  readonly test: Examples;
  /**
   * `sha256:` and the digest of the shape unless it is the default, with the number of validation images if there are any,
   * and of pixels and labels of train with validation, then test.
   */
  readonly digest: string;
}

const splitSchema = z.object({
  examples: z.int().describe('Number of labelled images'),
  examplesPerClass: z.array(z.int()).describe('Number of images of each class, in the order of classNames'),
});

export const datasetSchema = z
  .object({
    id: z
      .string()
      .describe(
        '`dst_` and 40 hexadecimal digits of a SHA-256 over pixels, labels, class names and preprocessing; other ids belong to built-in data sets',
      ),
    name: z.string().nullable().describe('Display name given at upload; need not be unique'),
    createdAt: z.iso.datetime().nullable(),
    imageShape: imageShapeSchema,
    classNames: z.array(z.string()),
    splits: z.object({
      train: splitSchema,
      validation: splitSchema
        .optional()
        .describe('Images to choose models and epochs by. Only if they were sent as a split of their own'),
      test: splitSchema.extend({
        looks: z
          .int()
          .optional()
          .describe(
            'How many results on the images of this split were revealed, for all data sets with the same test images and labels. Only in the response of one data set',
          ),
      }),
    }),
    digest: z
      .string()
      .describe(
        'SHA-256 over pixels and labels of train, then test; after the shape, unless that is 28×28. With a validation split, the shape and ' +
          'the number of its images come first, and its pixels and labels follow the ones of train',
      ),
    preprocessing: preprocessingSchema
      .nullable()
      .describe(
        'How the images of an uploaded archive got their shape. Models trained on them repeat this at prediction; null for arrays',
      ),
    report: datasetReportSchema.nullable().describe('Report on the upload; null for built-in data sets'),
  })
  .meta({ id: 'Dataset' });

export type DatasetSummary = z.infer<typeof datasetSchema>;

/** The number of images that a dry run shows. */
export const MAX_SAMPLES = 16;

const sampleSchema = z.object({
  split: z.enum(SPLITS),
  index: z.int().describe('Index of the image within the split'),
  label: z.int(),
  image: z.string().describe('PNG as a data URL'),
});
export type SampleImage = z.infer<typeof sampleSchema>;

/** The answer of an upload that stores nothing new. */
export const checkedDatasetSchema = datasetSchema
  .extend({
    samples: z
      .array(sampleSchema)
      .max(MAX_SAMPLES)
      .optional()
      .describe('Only of a dry run: some images of each class in turn, as they would be stored'),
  })
  .meta({ id: 'CheckedDataset' });
export type CheckedDataset = z.infer<typeof checkedDatasetSchema>;

/** @param basePath prefix of the API's paths */
export function imageUrl(basePath: string, dataset: string, split: SplitName, index: number): string {
  return `${basePath}/v1/datasets/${dataset}/splits/${split}/images/${index}`;
}
