/** Builds the ONNX graph of a network, from raw pixels to probabilities and label. */

import { type Architecture, blocks, GROUP_CHANNELS, plan } from '../../numerics/network/architecture.ts';
import {
  channelCount,
  DEFAULT_IMAGE_SHAPE,
  isSameShape,
  valueCount,
} from '../../numerics/network/image-shape.ts';
import type { ByChannel } from '../../numerics/network/layers.ts';
import type { OnnxInput } from '../models/export-formats.ts';
import { modelMetadata, type PublishedModel } from '../models/metadata.ts';
import { ONNX_ACTIVATIONS } from './activations.ts';
import {
  ELEMENT_TYPES,
  GROUP_VERSIONS,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  VERSIONS,
} from './message.ts';

/** Symbolic dimension, so that batches can have any size. */
const BATCH = 'batch';
const MAX_PIXEL = 255;

/** Added to the variance by group normalization. */
export const GROUP_EPSILON = 1e-5;

/**
 * Flat images for the default shape, as in earlier releases; else with channels first, as PyTorch has them. Convolutions always
 * take channels first.
 */
export const onnxInputShape = ({
  inputShape,
  convolutions,
}: Pick<Architecture, 'inputShape' | 'convolutions'>): (number | string)[] =>
  convolutions.length === 0 && isSameShape(inputShape, DEFAULT_IMAGE_SHAPE)
    ? [BATCH, valueCount(inputShape)]
    : [BATCH, channelCount(inputShape), inputShape[0], inputShape[1]];

export const onnxVersions = ({ norm }: Pick<Architecture, 'norm'>) =>
  norm === 'group' ? GROUP_VERSIONS : VERSIONS;

/**
 * image → division by 255 for `uint8` → standardization, if the network has it → stages of convolutions, group normalization,
 * activation and pooling, channels first, if it has them → flat values (batch × d0), of images without convolutions channels last
 * → W a + b for each layer, with the activation after hidden layers → probabilities (batch × classes, float) and label (batch, int64), the
 * lowest label of the highest probability.
 * @param temperature divisor of the logits before the softmax; null for none
 */
export function onnxModel(
  model: PublishedModel,
  input: OnnxInput,
  temperature: number | null = null,
): OnnxModel {
  const { architecture, activation, standardization, parameters } = model;
  const { inputShape, convolutions, norm, hidden, classes } = architecture;
  const shape = onnxInputShape(architecture);
  const nodes: OnnxNode[] = [];
  const initializers: OnnxModel['graph']['initializers'][number][] = [];
  let current = 'image';

  const add = (
    opType: string,
    output: string,
    others: string[] = [],
    attributes: Record<string, OnnxAttribute> = {},
  ) => {
    const name = `${opType} ${output}`;
    nodes.push({ name, opType, domain: '', inputs: [current, ...others], outputs: [output], attributes });
    current = output;
  };
  /** One for each channel has the shape that is broadcast to images with channels first. */
  const constant = (name: string, value: ByChannel) => {
    const [dims, numbers] = typeof value === 'number' ? [[], [value]] : [[1, value.length, 1, 1], value];
    initializers.push({ name, dims, data: Float32Array.from(numbers) });
    return [name];
  };

  if (input === 'uint8') {
    add('Cast', 'pixels', [], { to: { int: ELEMENT_TYPES.float } });
    add('Div', 'scaled', constant('max_pixel', MAX_PIXEL));
  }
  if (standardization !== null) {
    add('Sub', 'centred', constant('mean', standardization.mean));
    add('Div', 'standardized', constant('std', standardization.std));
  }
  if (channelCount(inputShape) === 3 && convolutions.length === 0)
    add('Transpose', 'channels_last', [], { perm: { ints: [0, 2, 3, 1] } });
  for (const { name, shape: dims, start, end } of blocks(architecture)) {
    initializers.push({ name, dims, data: parameters.subarray(start, end) });
  }
  /** @param suffix of the names of the results */
  const activate = (suffix: string) => {
    const exported = ONNX_ACTIVATIONS[activation];
    if (exported === null) return;
    const { operator, alpha, isExportedAsGate } = exported;
    const sums = current;
    if (isExportedAsGate) {
      add('Sigmoid', `gate${suffix}`);
      add('Mul', `a${suffix}`, [sums]);
    } else {
      add(operator, `a${suffix}`, [], alpha === undefined ? {} : { alpha: { float: alpha } });
    }
  };
  let [stage, n] = [0, 0];
  for (const { type, output } of plan(architecture).layers) {
    if (type === 'convolution') {
      n++;
      add('Conv', `convolution${n}`, [`K${n}`, `c${n}`], {
        kernel_shape: { ints: [3, 3] },
        pads: { ints: [1, 1, 1, 1] },
      });
      if (norm === 'none') activate(`_convolution${n}`);
    } else if (type === 'groupNorm') {
      add('GroupNormalization', `normalized${n}`, [`gamma${n}`, `beta${n}`], {
        epsilon: { float: GROUP_EPSILON },
        num_groups: { int: output.channels / GROUP_CHANNELS },
      });
      activate(`_convolution${n}`);
    } else if (type === 'maxPool') {
      add('MaxPool', `pooled${++stage}`, [], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } });
    }
  }
  if (shape.length > 2) add('Flatten', 'flat', [], { axis: { int: 1 } });
  for (let l = 1; l <= hidden.length + 1; l++) {
    add('Gemm', `z${l}`, [`W${l}`, `b${l}`], { transB: { int: 1 } });
    if (l <= hidden.length) activate(`${l}`);
  }
  if (temperature !== null) add('Div', 'calibrated', constant('temperature', temperature));
  add('Softmax', 'probabilities', [], { axis: { int: 1 } });
  add('ArgMax', 'label', [], { axis: { int: 1 }, keepdims: { int: 0 } });

  return {
    ...onnxVersions(architecture),
    producerName: 'atelier',
    modelVersion: model.version,
    metadata: modelMetadata(model),
    graph: {
      name: model.name,
      nodes,
      initializers,
      inputs: [{ name: 'image', elementType: input, shape }],
      outputs: [
        { name: 'probabilities', elementType: 'float', shape: [BATCH, classes] },
        { name: 'label', elementType: 'int64', shape: [BATCH] },
      ],
    },
  };
}
