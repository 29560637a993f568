/** Named models and their numbered versions. */
import { z } from 'zod';
import { importOriginSchema } from './import-origin.ts';

export const NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export const nameSchema = z
  .string()
  .regex(NAME_PATTERN, 'must be 1–64 of a–z, 0–9, ".", "_" and "-", starting with a letter or digit');

const ALIAS = '(?![0-9]+$)[a-z0-9][a-z0-9._-]{0,63}';

export const aliasNameSchema = z
  .string()
  .regex(
    new RegExp(`^${ALIAS}$`),
    'must be 1–64 of a–z, 0–9, ".", "_" and "-", starting with a letter or digit, and not a number',
  );

/** The alias of the version that a model's name alone means; without it that is the newest. */
export const CHAMPION = 'champion';

export const versionReferenceSchema = z.object({ name: nameSchema, version: z.int().min(1) });
export type VersionReference = z.infer<typeof versionReferenceSchema>;

export const ACTIVATIONS = ['relu', 'leaky-relu', 'tanh', 'sigmoid', 'identity'] as const;

const JOB_ID = 'job_[0-7][0-9A-HJKMNP-TV-Z]{25}';
const WHOLE_JOB_ID = new RegExp(`^${JOB_ID}$`);
const NUMBER = '[1-9][0-9]{0,8}';

/** A number, or the name of an alias. */
export type VersionName = number | string;

/**
 * `"name"` (its champion, else its newest version), `"name@3"`, `"name@alias"`, or `{ name, version? }`. `"job_…@1688"` is
 * the checkpoint of a training job after so many steps: no name of a model looks like that.
 */
export const modelReferenceSchema = z.union([
  z
    .string()
    .regex(
      new RegExp(`^([a-z0-9][a-z0-9._-]{0,63}(@(${NUMBER}|${ALIAS}))?|${JOB_ID}@${NUMBER})$`),
      'must be "name", "name@version", "name@alias" or, for a checkpoint, "job_…@step"',
    ),
  z.strictObject({ name: nameSchema, version: z.union([z.int().min(1), aliasNameSchema]).optional() }),
  z.strictObject({ name: z.string().regex(WHOLE_JOB_ID), version: z.int().min(1) }),
]);

export type ModelReference = z.infer<typeof modelReferenceSchema>;

/** Whether a reference is to a checkpoint of that training job. */
export function isJobId(name: string): boolean {
  return WHOLE_JOB_ID.test(name);
}

/** The parts of a reference; no version means the champion, else the newest. */
export function parseModelReference(reference: ModelReference): {
  name: string;
  version?: VersionName | undefined;
} {
  if (typeof reference !== 'string') return reference;
  const [name, version] = reference.split('@') as [string, string?];
  return version === undefined ? { name } : { name, version: toVersionName(version) };
}

function toVersionName(text: string): VersionName {
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}

/** In a path. */
export const versionNameSchema = z
  .string()
  .regex(
    new RegExp(`^(${NUMBER}|${ALIAS})$`),
    'must be the number of a version, from 1, or the name of an alias',
  )
  .transform(toVersionName);

/** Of jobs as of versions. */
export const metadataSchema = z
  .record(z.string().min(1).max(64), z.string().max(256))
  .refine((value) => Object.keys(value).length <= 16, 'at most 16 entries');

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
