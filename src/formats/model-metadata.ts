/** What makes parameters a model, as the strings of a file's metadata. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { jsonText } from '../domain/primitives.ts';
import type { Network } from '../numerics/network.ts';
import { ACTIVATIONS } from '../numerics/network.ts';
import { rejectModelFile } from './model-file-error.ts';
import { viewBytes } from './tensor.ts';

/** A model as it is exported. */
export interface PublishedModel extends Network {
  readonly name: string;
  readonly version: number;
  /** Packed. */
  readonly parameters: Float32Array;
  readonly classNames: readonly string[];
  /** `sha256:` of the packed parameters, little-endian. */
  readonly digest: string;
}

const FORMAT = 'atelier';

const metadataSchema = z.object({
  activation: z.enum(ACTIVATIONS),
  layer_sizes: jsonText(z.array(z.int())),
  class_names: jsonText(z.array(z.string())),
  standardization: jsonText(z.strictObject({ mean: z.number(), std: z.number().positive() }).nullable()),
  digest: z.string(),
});

export type ModelMetadata = Pick<PublishedModel, 'activation' | 'classNames' | 'standardization'>;

export function modelMetadata(model: PublishedModel): Record<string, string> {
  return {
    format: FORMAT,
    name: model.name,
    version: String(model.version),
    activation: model.activation,
    layer_sizes: JSON.stringify(model.layerSizes),
    class_names: JSON.stringify(model.classNames),
    standardization: JSON.stringify(model.standardization),
    digest: model.digest,
  };
}

/**
 * Null where the file is not one of ours, whose metadata may mean anything.
 * @throws AtelierError `invalid-model-file` where they are not of these parameters
 */
export function readModelMetadata(
  metadata: Readonly<Record<string, string>>,
  { layerSizes, parameters }: Pick<PublishedModel, 'layerSizes' | 'parameters'>,
): ModelMetadata | null {
  if (metadata['format'] !== FORMAT) return null;
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    return rejectModelFile(`its metadata are wrong at ${path.join('.')}: ${message.slice(0, 200)}`);
  }
  const { layer_sizes, class_names: classNames, activation, standardization, digest } = parsed.data;
  if (layer_sizes.join() !== layerSizes.join()) {
    rejectModelFile(
      `its metadata say ${layer_sizes.slice(0, 10).join('-')}, and its tensors are of ${layerSizes.join('-')}`,
    );
  }
  if (digest !== parametersDigest(parameters)) {
    rejectModelFile(
      `its metadata say digest ${digest.slice(0, 80)}, and its parameters have ${parametersDigest(parameters)}; if they were changed on purpose, remove the metadata`,
    );
  }
  return { activation, classNames, standardization };
}

export function parametersDigest(parameters: Float32Array): string {
  return `sha256:${createHash('sha256').update(viewBytes(parameters)).digest('hex')}`;
}
