/** Metadata of a model in KServe v2, and its configuration in Triton's format. Both describe the same tensors. */
import type { z } from 'zod';
import { describedShape } from '../../domain/image-shape.ts';
import { channelCount, type ImageShape } from '../../numerics/network/image-shape.ts';
import { type Datatype, elementBytes } from './datatypes.ts';
import type { modelConfigSchema, modelMetadataSchema, OutputName } from './schema.ts';

export interface DescribedModel {
  /** The name in the path of the request. */
  readonly name: string;
  readonly inputShape: ImageShape;
  readonly classes: number;
  /**
   * Whether the model is described as Triton's image_client.py and perf_analyzer need it: one input of bytes in channels,
   * rows and columns, one output.
   */
  readonly asImage: boolean;
  /** Whether the version is calibrated, so that requests can have a coverage. */
  readonly isCalibrated: boolean;
}

interface Tensor<N, D = Datatype> {
  readonly name: N;
  readonly datatype: D;
  /** Without the batch dimension. */
  readonly dims: readonly number[];
}

const PLATFORM = 'atelier';
/** Room for the JSON in front of a binary tensor. */
const JSON_BYTES = 4096;

export function inputTensor({
  inputShape,
  asImage,
}: Pick<DescribedModel, 'inputShape' | 'asImage'>): Tensor<'image'> {
  const [height, width] = inputShape;
  if (asImage) return { name: 'image', datatype: 'UINT8', dims: [channelCount(inputShape), height, width] };
  return { name: 'image', datatype: 'FP32', dims: describedShape(inputShape) };
}

function describeTensors(model: DescribedModel) {
  const { classes, asImage, isCalibrated } = model;
  const probabilities: Tensor<OutputName> = {
    name: 'probabilities',
    datatype: 'FP32',
    dims: [classes],
  };
  const label: Tensor<OutputName> = { name: 'label', datatype: 'INT64', dims: [] };
  const sets: Tensor<OutputName, 'BOOL'>[] = [
    { name: 'prediction_set', datatype: 'BOOL', dims: [classes] },
    { name: 'unsure', datatype: 'BOOL', dims: [] },
  ];
  const outputs = asImage ? [probabilities] : [probabilities, label, ...(isCalibrated ? sets : [])];
  return { input: inputTensor(model), outputs };
}

/** @param versions all versions of the model, in ascending order */
export function describeMetadata(
  model: DescribedModel,
  versions: readonly number[],
): z.input<typeof modelMetadataSchema> {
  const { input, outputs } = describeTensors(model);
  const toMetadata = ({ name, datatype, dims }: Tensor<string, string>) => ({
    name,
    datatype,
    shape: [-1, ...dims],
  });
  return {
    name: model.name,
    versions: versions.map(String),
    platform: PLATFORM,
    inputs: [toMetadata(input)],
    outputs: outputs.map(toMetadata),
  };
}

/** https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto */
export function describeConfig(
  model: DescribedModel,
  maxBodyBytes: number,
): z.input<typeof modelConfigSchema> {
  const { input, outputs } = describeTensors(model);
  const imageBytes = input.dims.reduce((product, size) => product * size, elementBytes(input.datatype));
  return {
    name: model.name,
    platform: PLATFORM,
    backend: PLATFORM,
    version_policy: { all: {} },
    // Clients conclude from a positive number that shapes begin with the batch dimension.
    max_batch_size: Math.max(1, Math.floor((maxBodyBytes - JSON_BYTES) / imageBytes)),
    input: [
      {
        name: input.name,
        data_type: `TYPE_${input.datatype}`,
        format: model.asImage ? 'FORMAT_NCHW' : 'FORMAT_NONE',
        dims: [...input.dims],
        is_shape_tensor: false,
        optional: false,
      },
    ],
    output: outputs.map(({ name, datatype, dims }) => ({
      name,
      data_type: `TYPE_${datatype}`,
      // One number per image: Triton has no empty dims, but reshapes [1] to them.
      ...(dims.length === 0 ? { dims: [1], reshape: { shape: [] } } : { dims: [...dims] }),
      label_filename: name === 'probabilities' ? 'labels.txt' : '',
      is_shape_tensor: false,
    })),
    model_transaction_policy: { decoupled: false },
  };
}
