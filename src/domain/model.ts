/** Named models and their numbered versions. */
import { z } from 'zod';

export const NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export const nameSchema = z
  .string()
  .regex(NAME_PATTERN, 'must be 1–64 of a–z, 0–9, ".", "_" and "-", starting with a letter or digit');

export const versionReferenceSchema = z.object({ name: nameSchema, version: z.int().min(1) });
export type VersionReference = z.infer<typeof versionReferenceSchema>;

export const ACTIVATIONS = ['relu', 'leaky-relu', 'tanh', 'sigmoid', 'identity'] as const;

const JOB_ID = 'job_[0-7][0-9A-HJKMNP-TV-Z]{25}';
const NUMBER = '[1-9][0-9]{0,8}';

/**
 * `"name"` (newest version), `"name@3"`, or `{ name, version? }`. `"job_…@1688"` is the checkpoint of a training job after
 * so many steps: no name of a model looks like that.
 */
export const modelReferenceSchema = z.union([
  z
    .string()
    .regex(
      new RegExp(`^([a-z0-9][a-z0-9._-]{0,63}(@${NUMBER})?|${JOB_ID}@${NUMBER})$`),
      'must be "name", "name@version" or, for a checkpoint, "job_…@step"',
    ),
  z.strictObject({ name: nameSchema, version: z.int().min(1).optional() }),
  z.strictObject({ name: z.string().regex(new RegExp(`^${JOB_ID}$`)), version: z.int().min(1) }),
]);

/** Whether a reference is to a checkpoint of that training job. */
export function isJobId(name: string): boolean {
  return name.startsWith('job_');
}
export type ModelReference = z.infer<typeof modelReferenceSchema>;

/** The parts of a reference; no version means the newest. */
export function parseModelReference(reference: ModelReference): {
  name: string;
  version?: number | undefined;
} {
  if (typeof reference !== 'string') return reference;
  const [name, version] = reference.split('@') as [string, string?];
  return version === undefined ? { name } : { name, version: Number(version) };
}

export const modelVersionSchema = z
  .object({
    name: nameSchema,
    version: z.int().min(1),
    createdAt: z.string(),
    jobId: z.string().nullable().describe('The training job that published it'),
    datasetId: z.string(),
    datasetDigest: z.string(),
    layerSizes: z.array(z.int()).describe('Inputs, hidden layers, classes'),
    activation: z.enum(ACTIVATIONS),
    standardization: z
      .object({ mean: z.number(), std: z.number() })
      .nullable()
      .describe('Of the pixels / 255 that it was trained on; applied when predicting'),
    classNames: z.array(z.string()),
    engine: z.string().describe('What computed the training'),
    fused: z.boolean().describe('Whether multiply-adds were rounded once, which depends on the processor'),
    testAccuracy: z.number().nullable(),
    digest: z.string().describe('`sha256:` of the packed float32 parameters, little-endian'),
  })
  .meta({ id: 'ModelVersion' });
export type ModelVersion = z.infer<typeof modelVersionSchema>;

export const modelSchema = z
  .object({
    name: nameSchema,
    createdAt: z.string(),
    versions: z.int().describe('Number of versions'),
    latest: modelVersionSchema,
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof modelSchema>;
