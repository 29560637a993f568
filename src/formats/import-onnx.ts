/** Reads a network of fully connected layers from an ONNX graph. */
import { IMAGE_PIXELS } from '../domain/dataset.ts';
import type { Activation, Standardization } from '../numerics/network.ts';
import { quote, rejectModelFile, showShape } from './model-file-error.ts';
import {
  isSameStandardization,
  type KnownMetadata,
  type ModelMetadata,
  readModelMetadata,
} from './model-metadata.ts';
import { type Chain, isBinary, type OnnxOperand, rejectNode } from './onnx-chain.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from './onnx-message.ts';
import { OPERATORS } from './onnx-operators.ts';
import { readOnnx } from './onnx-read.ts';
import { resolveScaling, UNSCALED } from './onnx-scaling.ts';
import { type PackedLayers, packLayers } from './pack-layers.ts';

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
  const chain = findNetwork(graph, follow(graph, input));
  const binary = chain.layers.at(-1)!.activation !== null;
  const packed = packLayers(chain.layers, binary);
  // Without biases a layer is complete in ONNX, so nothing is assumed.
  const parts = { ...packed, hasBiases: true };
  const activation = commonActivation(chain);
  const standardization = resolveScaling(chain.scaling, input.elementType);
  if (standardization && !(standardization.std > 0 && Number.isFinite(standardization.mean)))
    rejectModelFile('the graph must divide the images by a positive number');
  const own = readModelMetadata(metadata, parts);
  if (own === null) return { ...parts, metadata: { activation, standardization } };
  checkOwn(own, activation, standardization);
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

/** Applies each node to what is known of its inputs. */
function follow({ nodes, initializers }: OnnxGraph, input: OnnxValue): ReadonlyMap<string, OnnxOperand> {
  const values = new Map<string, OnnxOperand>();
  for (const tensor of initializers) values.set(tensor.name, { kind: 'constant', tensor, transposed: false });
  values.set(input.name, { kind: 'chain', scaling: UNSCALED, layers: [], stage: 'input' });
  for (const node of nodes) {
    const operands = node.inputs.map((name) =>
      name === ''
        ? undefined
        : (values.get(name) ?? rejectNode(node, `uses ${quote(name)} before it is computed`)),
    );
    const result = apply(node, operands);
    for (const [n, name] of node.outputs.entries())
      values.set(name, n === 0 ? result : { kind: 'other', node });
  }
  return values;
}

function apply(node: OnnxNode, operands: readonly (OnnxOperand | undefined)[]): OnnxOperand {
  const isNetwork = operands.some((each) => each?.kind === 'chain' || each?.kind === 'complement');
  const operator =
    node.domain === '' && Object.hasOwn(OPERATORS, node.opType) ? OPERATORS[node.opType] : null;
  if (operator && (isNetwork || CONSTANT_OPERATORS.has(node.opType))) return operator(operands, node);
  const isFinal = operands.every((each) => each?.kind !== 'chain' || each.stage === 'probabilities');
  return isFinal ? { kind: 'other', node } : rejectNode(node);
}

/** Operators that are also applied to weights and other constants. */
const CONSTANT_OPERATORS: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Transpose', 'Constant']);

/** The output that is a network; logits and probabilities may both be outputs, and a label beside them. */
function findNetwork({ outputs }: OnnxGraph, values: ReadonlyMap<string, OnnxOperand>): Chain {
  const found = outputs.map(
    ({ name }) => values.get(name) ?? rejectModelFile(`its output ${quote(name)} is not computed`),
  );
  const chains = found.filter((each) => each.kind === 'chain').filter(({ layers }) => layers.length > 0);
  const chain = chains.toSorted((a, b) => b.layers.length - a.layers.length)[0];
  if (chain === undefined) {
    const last = found.find((each) => each.kind === 'other');
    return last
      ? rejectNode(last.node, 'is the output, which must be logits or probabilities')
      : rejectModelFile('its graph has no layer');
  }
  const weights = chain.layers.at(-1)!.weights.data;
  if (chains.some(({ layers }) => layers.at(-1)!.weights.data !== weights))
    rejectModelFile('its graph has outputs of several layers; keep the probabilities only');
  const last = chain.layers.at(-1)!.activation;
  if (last !== null && !isBinary({ ...chain, stage: 'activations' }))
    rejectNode(last.node, 'follows the last layer; only Softmax or nothing, or Sigmoid after one unit, may');
  return chain;
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

/** Checks that the graph of an export, whose constants are float32, does what its metadata declares. */
function checkOwn(
  own: ModelMetadata,
  activation: Activation | undefined,
  standardization: Standardization | null | undefined,
): void {
  const sameActivation = activation === undefined || activation === own.activation;
  if (!sameActivation || !isSameStandardization(own.standardization, standardization ?? null))
    rejectModelFile(
      'its graph has another activation or standardization than its metadata; remove the metadata',
    );
}
