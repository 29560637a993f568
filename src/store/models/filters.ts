/** Filters and orders of lists of versions and models. */
import { type RawBuilder, sql } from 'kysely';

/** `-` is descending. */
export const VERSION_SORTS = ['-version', 'version', '-testAccuracy'] as const;
export const MODEL_SORTS = ['-createdAt', 'createdAt', 'name', '-name'] as const;

export interface VersionFilter {
  readonly tag?: string | undefined;
  /** Id of the data set of the training, or of the measurement of an imported version. */
  readonly dataset?: string | undefined;
  /** Entries that the metadata must have, besides others. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Times in RFC 3339, both exclusive. */
export interface CreationFilter {
  readonly createdAfter?: string | undefined;
  readonly createdBefore?: string | undefined;
}

export interface ModelQuery extends VersionFilter, CreationFilter {
  readonly limit: number;
  /** Name of a model, exclusive. */
  readonly after?: string | undefined;
  readonly namePrefix?: string | undefined;
  readonly sort?: (typeof MODEL_SORTS)[number] | undefined;
}

export interface VersionQuery extends VersionFilter, CreationFilter {
  readonly limit: number;
  /** Number of a version, exclusive. */
  readonly after?: number | undefined;
  readonly sort?: (typeof VERSION_SORTS)[number] | undefined;
}

/** The test accuracy of a version; one without comes last. */
export const ACCURACY = sql<number>`coalesce(test_accuracy, -1)`;

/** Conditions on a row of `model_versions`. */
export function versionConditions({ tag, dataset, metadata = {} }: VersionFilter): RawBuilder<boolean>[] {
  return [
    ...(tag === undefined ? [] : [hasTag(tag)]),
    ...(dataset === undefined ? [] : [sql<boolean>`dataset_id = ${dataset}`]),
    ...Object.entries(metadata).map(([key, value]) => hasEntry(key, value)),
  ];
}

/** @param column the time in RFC 3339, in UTC with milliseconds */
export function creationConditions(
  { createdAfter, createdBefore }: CreationFilter,
  column: string,
): RawBuilder<boolean>[] {
  return [
    ...(createdAfter === undefined ? [] : [sql<boolean>`${sql.ref(column)} > ${toUtc(createdAfter)}`]),
    ...(createdBefore === undefined ? [] : [sql<boolean>`${sql.ref(column)} < ${toUtc(createdBefore)}`]),
  ];
}

export function hasPrefix(column: string, prefix: string): RawBuilder<boolean> {
  return sql<boolean>`substr(${sql.ref(column)}, 1, ${sql.lit(prefix.length)}) = ${prefix}`;
}

const toUtc = (time: string) => new Date(time).toISOString();

/** The only LIKE wildcard that a tag may contain is "_". */
function hasTag(tag: string) {
  return sql<boolean>`tags like ${`%"${tag.replaceAll('_', '\\_')}"%`} escape '\\'`;
}

/**
 * Within the JSON of an object of texts, an entry follows a brace or a comma; within a text, its quotes would follow a
 * backslash. LIKE would ignore case in SQLite.
 */
function hasEntry(key: string, value: string) {
  const entry = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  const contains = (text: string) => sql<boolean>`replace(metadata, ${text}, '') <> metadata`;
  return sql<boolean>`(${contains(`{${entry}`)} or ${contains(`,${entry}`)})`;
}
