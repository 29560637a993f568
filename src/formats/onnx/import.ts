/** Reads a network of fully connected layers, or of convolutions before them, from an ONNX graph. */
import {
  channelsLast,
  MAX_SIDE,
  MIN_SIDE,
  orderedShapeSchema,
  type RequestedShape,
  showImageShape,
} from '../../domain/image-shape.ts';
import type { Activation } from '../../numerics/network/activations.ts';
import {
  channelCount,
  type ImageShape,
  isSameShape,
  valueCount,
} from '../../numerics/network/image-shape.ts';
import type { Standardization } from '../../numerics/network/layers.ts';
import { quote, rejectModelFile, showShape } from '../models/file-error.ts';
import { putChannelsLast, resolveInputShape } from '../models/input-shape.ts';
import {
  checkModelMetadata,
  isSameStandardization,
  type KnownMetadata,
  type ModelMetadata,
  readModelMetadata,
} from '../models/metadata.ts';
import { type PackedLayers, packLayers } from '../models/pack-layers.ts';
import { type Chain, rejectNode } from './chain.ts';
import { findNetwork, followNodes } from './follow.ts';
import type { OnnxGraph, OnnxValue } from './message.ts';
import { readOnnx } from './read.ts';
import { joinChannels, possibleStandardizations, resolveScaling, UNCHANGED } from './scaling.ts';

/** Broadcasting and the attributes of the operators are the same since this version. */
const MIN_OPSET = 7;

export type OnnxParts = PackedLayers & { readonly metadata: KnownMetadata };

/**
 * Follows the images from the input of the graph to the layer before its probabilities.
 * @param requested shape of the images, if the graph does not have it
 * @throws AtelierError `invalid-model-file` naming the node that is not supported
 */
export function importOnnx(bytes: Uint8Array, requested: RequestedShape): OnnxParts {
  const { opset, graph, metadata } = readOnnx(bytes);
  if (opset < MIN_OPSET) {
    rejectModelFile(
      `it has version ${opset} of the ONNX operators (opset); convert it to ${MIN_OPSET} or later with onnx.version_converter`,
    );
  }
  const input = findInput(graph);
  const { given, sizes } = findShape(input, requested);
  const chain = findNetwork(graph, followNodes(graph, input, sizes));
  const binary = chain.layers.at(-1)!.activation !== null;
  const pack = (layers: Chain['layers']) => {
    const packed = packLayers(layers, given, binary);
    return sizes ? putChannelsLast(packed, sizes, chain.axes) : packed;
  };
  const parts = pack(chain.layers);
  const activation = commonActivation(chain);
  const scaling = resolveScaling(chain.scaling, input.elementType);
  if (scaling?.some(({ mean, std }) => !(std > 0 && Number.isFinite(std) && Number.isFinite(mean))))
    rejectModelFile('the graph must divide or multiply the images by finite numbers above 0');
  const standardization = scaling && joinChannels(scaling);
  const own = readModelMetadata(metadata);
  if (own === null) return { ...parts, metadata: { activation, standardization } };
  // The digest of a calibrated export does not include its temperature.
  const isScaled = chain.layers.some(({ unscaled }) => unscaled);
  checkModelMetadata(own, isScaled ? pack(chain.layers.map((layer) => layer.unscaled ?? layer)) : parts);
  checkOwn(own, parts.architecture.inputShape, activation, [
    standardization ?? UNCHANGED,
    ...possibleStandardizations(chain.scaling, input.elementType),
  ]);
  return { ...parts, metadata: own };
}

/** The only input that is not an initializer. */
function findInput({ inputs, initializers }: OnnxGraph): OnnxValue {
  const constants = new Set(initializers.map(({ name }) => name));
  const [input, ...more] = inputs.filter(({ name }) => !constants.has(name));
  if (input === undefined || more.length > 0)
    return rejectModelFile(`its graph has ${1 + more.length} inputs instead of one, the images`);
  const { name, elementType } = input;
  if (elementType === null) rejectModelFile(`its input ${quote(name)} is not a tensor of numbers`);
  return input;
}

interface FoundShape {
  /** In the order of the numbers of the input; auto if the first layer decides. */
  readonly given: RequestedShape;
  /** Sizes of the axes of an image; null if they are unknown. */
  readonly sizes: readonly number[] | null;
}

/** The input has the shape of the images, or flat images of the requested shape. */
function findShape({ name, shape }: OnnxValue, requested: RequestedShape): FoundShape {
  const found = `its input ${quote(name)} has shape ${showShape(shape.map((size) => size || '?'))}`;
  const reject = (defect: string) => rejectModelFile(`${found}, but ${defect}`, undefined, 'inputShape');
  const wanted = requested === 'auto' ? null : channelsLast(requested);
  const flat: FoundShape = { given: requested, sizes: requested === 'auto' ? null : requested };
  const sizes = shape.slice(1).filter((size) => typeof size === 'number');
  if (sizes.length === 0 || sizes.length < shape.length - 1) {
    const isColour = wanted !== null && channelCount(wanted) === 3;
    return isColour && shape.length > 2 ? reject('a colour image must have known sizes') : flat;
  }
  const image = sizes.filter((size) => size !== 1);
  const values = image.reduce((product, size) => product * size, 1);
  const { data = 'auto' } = orderedShapeSchema.safeParse(image);
  const isOther = data !== 'auto' && wanted !== null && !isSameShape(channelsLast(data), wanted);
  if (wanted && (isOther || valueCount(wanted) !== values)) reject(`inputShape is ${showImageShape(wanted)}`);
  if (data !== 'auto') return { given: data, sizes };
  if (wanted) return flat;
  if (image.length > 1) reject(`images have 1 or 3 channels and ${MIN_SIDE} to ${MAX_SIDE} pixels a side`);
  return { given: resolveInputShape('auto', values, found), sizes };
}

/** undefined without hidden layers. */
function commonActivation({ layers }: Chain): Activation | undefined {
  const hidden = layers.slice(0, -1);
  const kinds = hidden.map(({ activation }) => activation?.kind ?? 'identity');
  const odd = hidden.find((_, l) => kinds[l] !== kinds[0]);
  if (odd === undefined) return kinds[0];
  const node = (odd.activation ?? hidden[0]!.activation)!.node;
  return rejectNode(
    node,
    `differs from the activation of another hidden layer; all must have the same (${kinds.join(', ')})`,
  );
}

/** Checks that the graph of an export (with float32 constants) does what its metadata declares. */
function checkOwn(
  own: ModelMetadata,
  shape: ImageShape,
  activation: Activation | undefined,
  possible: readonly Standardization[],
): void {
  const sameActivation = activation === undefined || activation === own.activation;
  const declared = own.standardization ?? UNCHANGED;
  if (!isSameShape(shape, own.inputShape))
    rejectModelFile(
      `its graph has images of ${showImageShape(shape)}, unlike its metadata; remove the metadata`,
    );
  if (!sameActivation || !possible.some((each) => isSameStandardization(each, declared)))
    rejectModelFile(
      'its graph has another activation or standardization than its metadata; remove the metadata',
    );
}
