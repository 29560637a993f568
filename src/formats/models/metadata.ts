/** Metadata of exported models: the strings that turn parameters into a model. */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { imageShapeSchema } from '../../domain/image-shape.ts';
import { standardizationSchema } from '../../domain/models/standardization.ts';
import { type Preprocessing, preprocessingSchema } from '../../domain/predictions/preprocessing.ts';
import { jsonText, wellFormed } from '../../domain/primitives.ts';
import { ACTIVATIONS } from '../../numerics/network/activations.ts';
import { type Architecture, layerSizes, NORMS } from '../../numerics/network/architecture.ts';
import { DEFAULT_IMAGE_SHAPE, type ImageShape, isSameShape } from '../../numerics/network/image-shape.ts';
import {
  channelStandardizations,
  type Network,
  type Standardization,
} from '../../numerics/network/layers.ts';
import { viewBytes } from '../arrays/tensor.ts';
import { rejectModelFile } from './file-error.ts';

/** A model version to export. */
export interface PublishedModel extends Network {
  readonly name: string;
  readonly version: number;
  /** Packed parameters. */
  readonly parameters: Float32Array;
  readonly classNames: readonly string[];
  /** The preprocessing of encoded images; null if they must have the input shape. */
  readonly preprocessing: Preprocessing | null;
  /** `sha256:` and the digest of the packed parameters, little-endian. */
  readonly digest: string;
}

const FORMAT = 'atelier';

const metadataSchema = z.object({
  activation: z.enum(ACTIVATIONS),
  layer_sizes: jsonText(z.array(z.int())),
  class_names: jsonText(z.array(z.string().refine(...wellFormed))),
  standardization: jsonText(standardizationSchema.nullable()),
  digest: z.string(),
  /** Omitted by models whose encoded images must have the input shape, and by older releases. */
  preprocessing: jsonText(preprocessingSchema).optional(),
  /** Omitted for the default shape, so these files are those of older releases. */
  input_shape: jsonText(imageShapeSchema).optional(),
  /** Omitted by networks of fully connected layers. */
  convolutions: jsonText(z.array(z.array(z.int()))).optional(),
  norm: z.enum(NORMS).optional(),
});

export interface ModelMetadata
  extends Pick<PublishedModel, 'activation' | 'classNames' | 'standardization' | 'preprocessing'> {
  readonly inputShape: ImageShape;
}
/** undefined for what the file does not contain. */
export type KnownMetadata = { readonly [Key in keyof ModelMetadata]?: ModelMetadata[Key] | undefined };

export function modelMetadata(model: PublishedModel): Record<string, string> {
  const { inputShape, convolutions, norm } = model.architecture;
  return {
    format: FORMAT,
    name: model.name,
    version: String(model.version),
    activation: model.activation,
    layer_sizes: JSON.stringify(layerSizes(model.architecture)),
    class_names: JSON.stringify(model.classNames),
    standardization: JSON.stringify(model.standardization),
    digest: model.digest,
    ...(model.preprocessing && { preprocessing: JSON.stringify(model.preprocessing) }),
    ...(!isSameShape(inputShape, DEFAULT_IMAGE_SHAPE) && {
      input_shape: JSON.stringify(inputShape),
    }),
    ...(convolutions.length > 0 && { convolutions: JSON.stringify(convolutions), norm }),
  };
}

type DeclaredMetadata = ModelMetadata &
  Pick<PublishedModel, 'digest'> &
  Pick<Architecture, 'convolutions' | 'norm'> & { readonly sizes: readonly number[] };

/**
 * Returns null for files of other programs: their metadata may have other meanings.
 * @throws AtelierError `invalid-model-file`
 */
export function readModelMetadata(metadata: Readonly<Record<string, string>>): DeclaredMetadata | null {
  if (metadata['format'] !== FORMAT) return null;
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    const [{ path }] = parsed.error.issues as [z.core.$ZodIssue];
    return rejectModelFile(`its metadata has an invalid ${path.join('.')}`);
  }
  const { layer_sizes: sizes, class_names: classNames, activation, standardization, digest } = parsed.data;
  const { preprocessing = null, input_shape: inputShape = DEFAULT_IMAGE_SHAPE } = parsed.data;
  const { convolutions = [], norm = 'none' } = parsed.data;
  const architecture = { inputShape, convolutions, norm, sizes };
  return { ...architecture, activation, classNames, standardization, preprocessing, digest };
}

/** @throws AtelierError `invalid-model-file` if the metadata does not match the parameters */
export function checkModelMetadata(
  declared: DeclaredMetadata,
  { architecture, parameters }: Pick<PublishedModel, 'architecture' | 'parameters'>,
): void {
  const { sizes, digest } = declared;
  const found = layerSizes(architecture);
  if (sizes.join() !== found.join()) {
    rejectModelFile(
      `its metadata declares layers ${sizes.slice(0, 10).join('-')}, but its tensors have ${found.join('-')}`,
    );
  }
  const [stages, others] = [architecture, declared].map(({ convolutions, norm }) =>
    JSON.stringify({ convolutions, norm }),
  );
  if (stages !== others)
    rejectModelFile(`its metadata declares ${others!.slice(0, 200)}, but its tensors have ${stages}`);
  if (digest !== parametersDigest(parameters)) {
    rejectModelFile(
      `its metadata declares digest ${digest.slice(0, 80)}, but its parameters have ${parametersDigest(parameters)}; if they were changed on purpose, remove the metadata`,
    );
  }
}

/** Whether standardizations are equal in float32, the precision of the constants in an ONNX graph. */
export function isSameStandardization(a: Network['standardization'], b: Network['standardization']): boolean {
  if (a === null || b === null) return a === b;
  return roundedByChannel(a).join() === roundedByChannel(b).join();
}

function roundedByChannel(standardization: Standardization): number[] {
  const channels = channelStandardizations(standardization);
  return [0, 1, 2].flatMap((c) => {
    const { mean, std } = channels[c % channels.length]!;
    return [Math.fround(mean), Math.fround(std)];
  });
}

export function parametersDigest(parameters: Float32Array): string {
  return `sha256:${createHash('sha256').update(viewBytes(parameters)).digest('hex')}`;
}
