/** Metadata of exported models: the strings that turn parameters into a model. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Preprocessing, preprocessingSchema } from '../../domain/predictions/preprocessing.ts';
import { jsonText, wellFormed } from '../../domain/primitives.ts';
import { ACTIVATIONS } from '../../numerics/network/activations.ts';
import type { Network } from '../../numerics/network/layers.ts';
import { viewBytes } from '../arrays/tensor.ts';
import { rejectModelFile } from './file-error.ts';

/** A model version to export. */
export interface PublishedModel extends Network {
  readonly name: string;
  readonly version: number;
  /** Packed parameters. */
  readonly parameters: Float32Array;
  readonly classNames: readonly string[];
  /** The preprocessing of encoded images; null if they must be 28×28. */
  readonly preprocessing: Preprocessing | null;
  /** `sha256:` and the digest of the packed parameters, little-endian. */
  readonly digest: string;
}

const FORMAT = 'atelier';

const metadataSchema = z.object({
  activation: z.enum(ACTIVATIONS),
  layer_sizes: jsonText(z.array(z.int())),
  class_names: jsonText(z.array(z.string().refine(...wellFormed))),
  standardization: jsonText(z.strictObject({ mean: z.number(), std: z.number().positive() }).nullable()),
  digest: z.string(),
  /** Omitted by models whose encoded images must be 28×28, and by older releases. */
  preprocessing: jsonText(preprocessingSchema).optional(),
});

export type ModelMetadata = Pick<
  PublishedModel,
  'activation' | 'classNames' | 'standardization' | 'preprocessing'
>;
/** undefined for what the file does not contain. */
export type KnownMetadata = { readonly [Key in keyof ModelMetadata]?: ModelMetadata[Key] | undefined };

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
    ...(model.preprocessing && { preprocessing: JSON.stringify(model.preprocessing) }),
  };
}

/**
 * Returns null for files of other programs: their metadata may have other meanings.
 * @throws AtelierError `invalid-model-file` if the metadata does not match the parameters
 */
export function readModelMetadata(
  metadata: Readonly<Record<string, string>>,
  { layerSizes, parameters }: Pick<PublishedModel, 'layerSizes' | 'parameters'>,
): ModelMetadata | null {
  if (metadata['format'] !== FORMAT) return null;
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    const [{ path }] = parsed.error.issues as [z.core.$ZodIssue];
    return rejectModelFile(`its metadata has an invalid ${path.join('.')}`);
  }
  const { layer_sizes, class_names: classNames, activation, standardization, digest } = parsed.data;
  const { preprocessing = null } = parsed.data;
  if (layer_sizes.join() !== layerSizes.join()) {
    rejectModelFile(
      `its metadata declares layers ${layer_sizes.slice(0, 10).join('-')}, but its tensors have ${layerSizes.join('-')}`,
    );
  }
  if (digest !== parametersDigest(parameters)) {
    rejectModelFile(
      `its metadata declares digest ${digest.slice(0, 80)}, but its parameters have ${parametersDigest(parameters)}; if they were changed on purpose, remove the metadata`,
    );
  }
  return { activation, classNames, standardization, preprocessing };
}

/** Whether standardizations are equal in float32, the precision of the constants in an ONNX graph. */
export function isSameStandardization(a: Network['standardization'], b: Network['standardization']): boolean {
  if (a === null || b === null) return a === b;
  return Math.fround(a.mean) === Math.fround(b.mean) && Math.fround(a.std) === Math.fround(b.std);
}

export function parametersDigest(parameters: Float32Array): string {
  return `sha256:${createHash('sha256').update(viewBytes(parameters)).digest('hex')}`;
}
