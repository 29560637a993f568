/** Builds the ONNX graph of a network, from raw pixels to probabilities and label. */

import { DEFAULT_IMAGE_SHAPE } from '../../domain/image-shape.ts';
import { blocks } from '../../numerics/network/architecture.ts';
import {
  channelCount,
  type ImageShape,
  isSameShape,
  valueCount,
} from '../../numerics/network/image-shape.ts';
import type { ByChannel } from '../../numerics/network/layers.ts';
import type { OnnxInput } from '../models/export-formats.ts';
import { modelMetadata, type PublishedModel } from '../models/metadata.ts';
import { ONNX_ACTIVATIONS } from './activations.ts';
import { ELEMENT_TYPES, type OnnxAttribute, type OnnxModel, type OnnxNode } from './message.ts';

/** Symbolic dimension, so that batches can have any size. */
const BATCH = 'batch';
const MAX_PIXEL = 255;

/** Flat images for the default shape, as in earlier releases; else with channels first, as PyTorch has them. */
export const onnxInputShape = (image: ImageShape): (number | string)[] =>
  isSameShape(image, DEFAULT_IMAGE_SHAPE)
    ? [BATCH, valueCount(image)]
    : [BATCH, channelCount(image), image[0], image[1]];

/**
 * image → division by 255 for `uint8` → standardization, if the network has it → flat images (batch × d0), channels last
 * → W a + b for each layer, with the activation after hidden layers → probabilities (batch × classes, float) and label (batch, int64), the
 * lowest label of the highest probability.
 */
export function onnxModel(model: PublishedModel, input: OnnxInput): OnnxModel {
  const { architecture, activation, standardization, parameters } = model;
  const { inputShape, hidden, classes } = architecture;
  const shape = onnxInputShape(inputShape);
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
  if (channelCount(inputShape) === 3) add('Transpose', 'channels_last', [], { perm: { ints: [0, 2, 3, 1] } });
  if (shape.length > 2) add('Flatten', 'flat', [], { axis: { int: 1 } });
  for (const { name, shape: dims, start, end } of blocks(architecture)) {
    initializers.push({ name, dims, data: parameters.subarray(start, end) });
  }
  for (let l = 1; l <= hidden.length + 1; l++) {
    add('Gemm', `z${l}`, [`W${l}`, `b${l}`], { transB: { int: 1 } });
    const exported = ONNX_ACTIVATIONS[activation];
    if (l > hidden.length || exported === null) continue;
    const { operator, alpha, isExportedAsGate } = exported;
    if (isExportedAsGate) {
      add('Sigmoid', `gate${l}`);
      add('Mul', `a${l}`, [`z${l}`]);
    } else {
      add(operator, `a${l}`, [], alpha === undefined ? {} : { alpha: { float: alpha } });
    }
  }
  add('Softmax', 'probabilities', [], { axis: { int: 1 } });
  add('ArgMax', 'label', [], { axis: { int: 1 }, keepdims: { int: 0 } });

  return {
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
