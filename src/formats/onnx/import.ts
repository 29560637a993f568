/** Reads a network of fully connected layers from an ONNX graph. */
import { IMAGE_PIXELS } from '../../domain/datasets/representation.ts';
import type { Activation } from '../../numerics/network/activations.ts';
import type { Standardization } from '../../numerics/network/layers.ts';
import { quote, rejectModelFile, showShape } from '../models/file-error.ts';
import {
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
import { possibleStandardizations, resolveScaling, UNCHANGED } from './scaling.ts';

/** Broadcasting and the attributes of the operators are the same since this version. */
const MIN_OPSET = 7;

export type OnnxParts = PackedLayers & { readonly metadata: KnownMetadata };

/**
 * Follows the images from the input of the graph to the layer before its probabilities.
 * @throws AtelierError `invalid-model-file` naming the node that is not supported
 */
export function importOnnx(bytes: Uint8Array): OnnxParts {
  const { opset, graph, metadata } = readOnnx(bytes);
  if (opset < MIN_OPSET) {
    rejectModelFile(
      `it has version ${opset} of the ONNX operators (opset); convert it to ${MIN_OPSET} or later with onnx.version_converter`,
    );
  }
  const input = findInput(graph);
  const chain = findNetwork(graph, followNodes(graph, input));
  const binary = chain.layers.at(-1)!.activation !== null;
  const parts = packLayers(chain.layers, binary);
  const activation = commonActivation(chain);
  const standardization = resolveScaling(chain.scaling, input.elementType);
  const { mean, std } = standardization ?? UNCHANGED;
  if (!(std > 0 && Number.isFinite(std) && Number.isFinite(mean)))
    rejectModelFile('the graph must divide or multiply the images by finite numbers above 0');
  const own = readModelMetadata(metadata, parts);
  if (own === null) return { ...parts, metadata: { activation, standardization } };
  checkOwn(own, activation, [
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
  const { name, shape, elementType } = input;
  if (elementType === null) rejectModelFile(`its input ${quote(name)} is not a tensor of numbers`);
  const sizes = shape.slice(1).filter((size) => typeof size === 'number');
  const pixels = sizes.reduce((product, size) => product * size, 1);
  if (sizes.length > 0 && sizes.length === shape.length - 1 && pixels !== IMAGE_PIXELS) {
    rejectModelFile(
      `its input ${quote(name)} has shape ${showShape(shape.map((size) => size || '?'))}; images have ${IMAGE_PIXELS} pixels`,
    );
  }
  return input;
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
  activation: Activation | undefined,
  possible: readonly Standardization[],
): void {
  const sameActivation = activation === undefined || activation === own.activation;
  const declared = own.standardization ?? UNCHANGED;
  if (!sameActivation || !possible.some((each) => isSameStandardization(each, declared)))
    rejectModelFile(
      'its graph has another activation or standardization than its metadata; remove the metadata',
    );
}
