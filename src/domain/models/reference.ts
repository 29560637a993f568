/** Names of models, versions and aliases, and references to them. */
import { z } from 'zod';

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

/** A model's name alone means the version with this alias, or the newest version if the alias does not exist. */
export const CHAMPION = 'champion';

export const versionReferenceSchema = z.object({ name: nameSchema, version: z.int().min(1) });
export type VersionReference = z.infer<typeof versionReferenceSchema>;

const JOB_ID = 'job_[0-7][0-9A-HJKMNP-TV-Z]{25}';
const WHOLE_JOB_ID = new RegExp(`^${JOB_ID}$`);
const NUMBER = '[1-9][0-9]{0,8}';
const NUMBER_RANGE = 'whole numbers from 1 to 999999999';

/** A version number, or the name of an alias. */
export type VersionName = number | string;

const publishedObjectSchema = z.strictObject({
  name: nameSchema,
  version: z
    .union([
      z.int().min(1),
      z
        .string()
        .regex(
          new RegExp(`^${ALIAS}$`),
          'must be a version number without quotes, such as 3, or the name of an alias, 1–64 of a–z, 0–9, ".", "_" and "-"',
        ),
    ])
    .optional(),
});

/**
 * `"name"` (the champion, else the newest version), `"name@3"`, `"name@alias"`, or `{ name, version? }`. `"job_…@1688"`
 * is the checkpoint of a training job after 1,688 steps; job ids are not valid model names: they have capitals.
 */
export const modelReferenceSchema = z.union([
  z
    .string()
    .regex(
      new RegExp(`^([a-z0-9][a-z0-9._-]{0,63}(@(${NUMBER}|${ALIAS}))?|${JOB_ID}@${NUMBER})$`),
      `must be "name", "name@version", "name@alias" or, for a checkpoint, "job_…@step"; versions and steps are ${NUMBER_RANGE}`,
    ),
  publishedObjectSchema,
  z.strictObject({ name: z.string().regex(WHOLE_JOB_ID), version: z.int().min(1) }),
]);

/** Like `modelReferenceSchema`, but not a checkpoint. */
export const publishedReferenceSchema = z.union([
  z
    .string()
    .regex(
      new RegExp(`^[a-z0-9][a-z0-9._-]{0,63}(@(${NUMBER}|${ALIAS}))?$`),
      `must be "name", "name@version" or "name@alias" of a published model, not a checkpoint of a job; versions are ${NUMBER_RANGE}`,
    ),
  publishedObjectSchema,
]);

export type ModelReference = z.infer<typeof modelReferenceSchema>;

/** Whether the name in a reference is the id of a training job, so that the reference means a checkpoint. */
export function isJobId(name: string): boolean {
  return WHOLE_JOB_ID.test(name);
}

/** Splits a reference into its parts. No version means the champion, else the newest. */
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

/** A version number or alias in a path. */
export const versionNameSchema = z
  .string()
  .regex(new RegExp(`^(${NUMBER}|${ALIAS})$`), 'must be a version number, from 1, or the name of an alias')
  .transform(toVersionName);
