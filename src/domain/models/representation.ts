/** Named models and their numbered versions. */

import { z } from 'zod';
import { ACTIVATIONS } from '../../numerics/network/activations.ts';
import { NORMS } from '../../numerics/network/architecture.ts';
import { imageShapeSchema } from '../image-shape.ts';
import { preprocessingSchema } from '../predictions/preprocessing.ts';
import { metadataSchema, newMetadataSchema, wellFormed, withoutNul } from '../primitives.ts';
import { calibrationSchema } from './calibration.ts';
import { importOriginSchema } from './import.ts';
import {
  aliasNameSchema,
  nameSchema,
  publishedReferenceSchema,
  versionReferenceSchema,
} from './reference.ts';
import { byChannel } from './standardization.ts';

/** Fields of a version that can be changed at any time. */
const annotations = {
  description: z.string().max(2000).nullable(),
  metadata: metadataSchema.describe('Initially the metadata of the request that created the version'),
  tags: z.array(nameSchema).max(16),
};
/** Stricter than a response: that must not fail because of what an earlier release stored. */
export const annotationsSchema = z
  .strictObject({
    ...annotations,
    description: z
      .string()
      .max(2000)
      .regex(...withoutNul)
      .refine(...wellFormed)
      .nullable(),
    metadata: newMetadataSchema.describe(annotations.metadata.description!),
  })
  .partial()
  .meta({ id: 'ModelAnnotations' });
export type Annotations = z.infer<typeof annotationsSchema>;

const lineageSchema = z.object({
  source: z.enum(['training', 'import']),
  jobId: z
    .string()
    .nullable()
    .describe('Training job that published the version. The job may have been deleted since'),
  dataset: z
    .object({ id: z.string(), digest: z.string() })
    .nullable()
    .describe('Data set that the model was trained on or, for an import, evaluated on; null without one'),
  seed: z.int().nullable(),
  request: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('Request of the training job with all defaults filled in; it can be sent again unchanged'),
  parent: z
    .object({ name: z.string(), version: z.int() })
    .nullable()
    .describe('For a warm start, the version it started from, or the job and step of the checkpoint'),
  teachers: z
    .array(versionReferenceSchema)
    .describe('For a distillation, the versions that it was taught by'),
  import: importOriginSchema.nullable().describe('For an import, the file it came from'),
  copiedFrom: versionReferenceSchema
    .nullable()
    .describe('For a copy, the version it was copied from; the rest of the lineage belongs to the original'),
});

export const layersText = z
  .string()
  .describe(
    'The layers as a text, such as 784-40-10, or 28×28-(16)-(32 32)-128-10 with two stages of convolutions',
  );
export const LAYER_SIZES_TEXT =
  'Values of an image, after each stage of convolutions, of each hidden layer, and classes';

export const versionCopySchema = z
  .strictObject({
    from: publishedReferenceSchema.describe(
      'The version to copy; a name alone means its champion, else its newest version',
    ),
  })
  .meta({ id: 'VersionCopy' });

export const modelVersionSchema = z
  .object({
    name: nameSchema,
    version: z.int().min(1).describe('Version number; it is not reused after the version is deleted'),
    createdAt: z.string(),
    aliases: z.array(aliasNameSchema).describe('Aliases that point at the version'),
    ...annotations,
    inputShape: imageShapeSchema,
    layers: layersText,
    parameters: z.int().describe('Number of parameters'),
    convolutions: z
      .array(z.array(z.int()))
      .describe(
        'For each stage of convolutions, their output channels; none if all layers are fully connected',
      ),
    norm: z.enum(NORMS).describe('Normalization after each convolution'),
    layerSizes: z.array(z.int()).describe(LAYER_SIZES_TEXT),
    activation: z.enum(ACTIVATIONS),
    standardization: z
      .object({ mean: byChannel(z.number()), std: byChannel(z.number()) })
      .nullable()
      .describe(
        'Mean and standard deviation of pixels / 255 in training, one for each channel of colour images; applied at prediction',
      ),
    preprocessing: preprocessingSchema
      .nullable()
      .describe(
        'Applied to encoded images at prediction, as to images of the data set; null if they must have the input shape',
      ),
    classNames: z.array(z.string()),
    engine: z.string().nullable().describe('Engine that computed the training, if known'),
    fused: z.boolean().describe('Whether the processor rounded multiply-adds once (fused) instead of twice'),
    testAccuracy: z.number().nullable(),
    calibration: calibrationSchema.nullable().describe('null before the version is calibrated'),
    digest: z.string().describe('`sha256:` and the digest of the packed float32 parameters, little-endian'),
    lineage: lineageSchema.describe('Origin of the version, copied from its job or import'),
  })
  .meta({ id: 'ModelVersion' });
export type ModelVersion = z.infer<typeof modelVersionSchema>;

export const modelSchema = z
  .object({
    name: nameSchema,
    createdAt: z.string(),
    versions: z.int().describe('Number of versions'),
    aliases: z
      .record(aliasNameSchema, z.int())
      .describe(
        'Version of each alias. The name of the model alone means `champion`, else the newest version',
      ),
    latest: modelVersionSchema,
    ready: z
      .literal(true)
      .optional()
      .describe('Always true, for clients of KServe v1: versions load on demand'),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof modelSchema>;
