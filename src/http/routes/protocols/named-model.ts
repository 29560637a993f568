/** Names and versions in the paths of other protocols, and their query. */
import { z } from 'zod';
import { NAME_PATTERN, type VersionName, versionNameSchema } from '../../../domain/models/reference.ts';
import { imageQuery } from '../../../domain/predictions/image-query.ts';
import { AtelierError } from '../../../errors.ts';
import { quote } from '../../../formats/models/file-error.ts';

const name = z.string().describe('Name of the model');
const version = z.string().describe('Number of the version, or the name of an alias');

/** Other query parameters are ignored, because TensorFlow Serving ignores them. */
export const fitQuery = z.looseObject({ fit: imageQuery.fit });
export const namedModel = z.object({ name });
export const namedVersion = z.object({ name, version });

/**
 * Reports an invalid name as a model that does not exist, because these protocols have no 422.
 * @throws AtelierError `model-not-found`
 */
export function readModelName(path: { name: string; version?: string }): {
  name: string;
  version?: VersionName;
} {
  if (!NAME_PATTERN.test(path.name)) rejectReference(`Model ${quote(path.name)} does not exist`);
  if (path.version === undefined) return { name: path.name };
  const { data } = versionNameSchema.safeParse(path.version);
  if (data === undefined) rejectReference(`Model ${path.name} has no version ${quote(path.version)}`);
  return { name: path.name, version: data };
}

function rejectReference(what: string): never {
  throw new AtelierError('model-not-found', `${what}. All models are listed at /v1/models.`);
}
