/** Status and metadata of models, as in TensorFlow Serving's JSON of GetModelStatus and GetModelMetadata. */
import { z } from 'zod';
import { describedShape } from '../../domain/image-shape.ts';
import type { Model, ModelVersion } from '../../domain/models/representation.ts';

const statusSchema = z.object({
  version: z.string(),
  state: z.literal('AVAILABLE'),
  status: z.object({ error_code: z.literal('OK'), error_message: z.literal('') }),
});

const modelVersionStatus = z.array(statusSchema);

/** Fields that TensorFlow Serving's clients read in a model and in a version, besides the native ones. */
export const modelStatusFields = {
  model_version_status: modelVersionStatus.describe(
    'For clients of TensorFlow Serving: the newest version and all with an alias, newest first',
  ),
};
export const versionStatusFields = {
  model_version_status: modelVersionStatus.describe('For clients of TensorFlow Serving: this version'),
};
export const modelStatusSchema = z
  .object({ model_version_status: modelVersionStatus })
  .meta({ id: 'TensorflowModelStatus' });

type ModelVersionStatus = z.infer<typeof modelStatusSchema>;

/** Every stored version is served, so its state is always AVAILABLE. */
export function versionStatus(...versions: readonly number[]): ModelVersionStatus {
  const ok = { state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } } as const;
  return { model_version_status: versions.map((version) => ({ version: String(version), ...ok })) };
}

/**
 * The status of the newest version and of versions with an alias, newest first: a model may have thousands of versions,
 * and TensorFlow Serving also keeps the newest one and the ones that a label needs.
 */
export function modelStatus({ latest, aliases }: Model): ModelVersionStatus {
  const versions = new Set([latest.version, ...Object.values(aliases)]);
  return versionStatus(...[...versions].sort((a, b) => b - a));
}

const dimensionSchema = z.object({ size: z.string(), name: z.string() });
const tensorSchema = z.object({
  dtype: z.string(),
  tensor_shape: z.object({ dim: z.array(dimensionSchema), unknown_rank: z.boolean() }),
  name: z.string(),
});
const signatureSchema = z.object({
  inputs: z.record(z.string(), tensorSchema),
  outputs: z.record(z.string(), tensorSchema),
  method_name: z.string(),
});
export const modelMetadataSchema = z
  .object({
    model_spec: z.object({ name: z.string(), signature_name: z.string(), version: z.string() }),
    metadata: z.object({
      signature_def: z.object({ signature_def: z.object({ serving_default: signatureSchema }) }),
    }),
  })
  .meta({ id: 'TensorflowModelMetadata' });

/** The signature of a version. Integers of 64 bits are strings, as in every JSON form of protocol buffers. */
export function modelMetadata({
  name,
  version,
  inputShape,
  classNames,
}: Pick<ModelVersion, 'name' | 'version' | 'inputShape' | 'classNames'>): z.infer<
  typeof modelMetadataSchema
> {
  const serving_default = {
    inputs: { image: floatTensor('serving_default_image:0', describedShape(inputShape)) },
    outputs: { probabilities: floatTensor('StatefulPartitionedCall:0', [classNames.length]) },
    method_name: 'tensorflow/serving/predict',
  };
  return {
    model_spec: { name, signature_name: '', version: String(version) },
    metadata: { signature_def: { signature_def: { serving_default } } },
  };
}

/** A float32 tensor of shape (n, …sizes). */
function floatTensor(name: string, sizes: readonly number[]): z.infer<typeof tensorSchema> {
  const dim = [-1, ...sizes].map((size) => ({ size: String(size), name: '' }));
  return { dtype: 'DT_FLOAT', tensor_shape: { dim, unknown_rank: false }, name };
}
