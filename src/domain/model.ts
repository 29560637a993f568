/** Named models and their numbered versions. */
import { z } from 'zod';
import { ACTIVATIONS } from '../numerics/network.ts';
import { importOriginSchema } from './model-import.ts';
import { aliasNameSchema, nameSchema } from './model-reference.ts';
import { metadataSchema } from './primitives.ts';

/** What can be said of a version, and changed at any time. */
const annotations = {
  description: z.string().max(2000).nullable(),
  metadata: metadataSchema.describe('At first that of the request that made it'),
  tags: z.array(nameSchema).max(16),
};
export const annotationsSchema = z.strictObject(annotations).partial().meta({ id: 'ModelAnnotations' });
export type Annotations = z.infer<typeof annotationsSchema>;

const lineageSchema = z.object({
  source: z.enum(['training', 'import']),
  jobId: z.string().nullable().describe('The training job that published it'),
  dataset: z
    .object({ id: z.string(), digest: z.string() })
    .nullable()
    .describe('What it was trained on, or, of an import, what it was measured on; null where there is none'),
  seed: z.int().nullable(),
  request: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('That of the training job, with every default of its time: it can be sent again as it is'),
  parent: z
    .object({ name: z.string(), version: z.int() })
    .nullable()
    .describe('Of a warm start: the version, or the job and step of the checkpoint, that it began from'),
  import: importOriginSchema.nullable().describe('Of an import: the file that it came from'),
});

export const modelVersionSchema = z
  .object({
    name: nameSchema,
    version: z.int().min(1).describe('Never given again, also when the version is deleted'),
    createdAt: z.string(),
    aliases: z.array(aliasNameSchema).describe('Those that point at it now'),
    ...annotations,
    layerSizes: z.array(z.int()).describe('Inputs, hidden layers, classes'),
    activation: z.enum(ACTIVATIONS),
    standardization: z
      .object({ mean: z.number(), std: z.number() })
      .nullable()
      .describe('Of the pixels / 255 that it was trained on; applied when predicting'),
    classNames: z.array(z.string()),
    engine: z.string().nullable().describe('What computed the training, where that is known'),
    fused: z.boolean().describe('Whether multiply-adds were rounded once, which depends on the processor'),
    testAccuracy: z.number().nullable(),
    digest: z.string().describe('`sha256:` of the packed float32 parameters, little-endian'),
    lineage: lineageSchema.describe('Where it comes from; stays whole whatever becomes of the job'),
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
      .describe('The version each points at. The name of the model alone means `champion`, else the newest'),
    latest: modelVersionSchema,
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof modelSchema>;
