/** Values in an ONNX graph, as far as they can belong to a network, and the layers found until them. */
import type { Activation } from '../../numerics/network/activations.ts';
import type { LayerTensors } from '../arrays/tensor.ts';
import { quote, rejectModelFile } from '../models/file-error.ts';
import { ONNX_ACTIVATIONS } from './activations.ts';
import type { OnnxNode, OnnxTensor } from './message.ts';
import type { Scaling } from './scaling.ts';

export interface OnnxLayer extends LayerTensors {
  /** null if the layer has none, or none yet. */
  readonly activation: { readonly kind: Activation; readonly node: OnnxNode } | null;
  /** The layer before its sums were multiplied or divided by a number. */
  readonly unscaled?: OnnxLayer;
}

/** The images after the nodes up to this one. */
export interface Chain {
  readonly kind: 'chain';
  readonly scaling: Scaling;
  /** Sizes of the axes of an image of the input; only that of channels is 3. */
  readonly sizes: readonly number[];
  /** These axes in their present order. */
  readonly axes: readonly number[];
  /** Whether an image, or the channels of a convolution, have other axes now; or the sizes of an image are unknown. */
  readonly isReshaped: boolean;
  readonly layers: readonly OnnxLayer[];
  /**
   * The images, scaled or not; the sums of a layer, before or after its activation; groups of channels, normalized and still with
   * the axes of groups; or the final probabilities.
   */
  readonly stage: 'input' | 'sums' | 'groups' | 'activations' | 'probabilities';
}

export type OnnxOperand =
  | Chain
  | { readonly kind: 'constant'; readonly tensor: OnnxTensor; readonly transposed: boolean }
  /** 1 − p for the only output p of a chain. */
  | { readonly kind: 'complement'; readonly chain: Chain }
  /** A shape, a label, or what else is computed beside the network. */
  | { readonly kind: 'other'; readonly node: OnnxNode };

type Operands = readonly (OnnxOperand | undefined)[];
/** The result of a node and its operands. */
export type Operator = (operands: Operands, node: OnnxNode) => OnnxOperand;

const ACTIVATIONS = Object.values(ONNX_ACTIVATIONS)
  .flatMap((each) => each ?? [])
  .map(({ operator, alpha }) => (alpha === undefined ? operator : `${operator} with the alpha ${alpha}`));

const SUPPORTED =
  'supported are Gemm, or MatMul and Add; before them Conv 3×3 with pads 1 and stride 1, with BatchNormalization or groups of 4 channels by GroupNormalization ' +
  `or InstanceNormalization, and MaxPool 2×2 with stride 2; after every hidden layer and convolution the same one of ${ACTIVATIONS.join(', ')}, ` +
  'Sigmoid with a Mul by its input, or none; Softmax or LogSoftmax at the end; Sub, Add, Div and Mul by single numbers, or one for each channel, at the start; Div and Mul of the sums of a Gemm or MatMul by single numbers; Flatten, Reshape, ' +
  'Squeeze, Unsqueeze, Transpose of the images before any of these three, Identity, Cast, Dropout and Constant; ArgMax beside the probabilities';

/** @throws AtelierError `invalid-model-file` naming the node */
export function rejectNode({ name, opType, domain, outputs }: OnnxNode, defect?: string): never {
  const operator = domain === '' ? opType : `${domain}.${opType}`;
  const node = `node ${quote(name || (outputs[0] ?? ''))} (${operator.slice(0, 60)})`;
  return rejectModelFile(
    defect === undefined ? `${node} is not supported; ${SUPPORTED}` : `${node} ${defect}`,
  );
}

/** Units of a layer; undefined if its weights are not a matrix. */
function countUnits({ weights, transposed }: LayerTensors): number | undefined {
  return weights.shape[transposed ? 1 : 0];
}

/** The only output of a binary classifier, p = sigmoid(z). */
export function isBinary({ layers, stage }: Chain): boolean {
  const last = layers.at(-1);
  return stage === 'activations' && last?.activation?.kind === 'sigmoid' && countUnits(last) === 1;
}

export function withLast({ layers }: Chain, changes: Partial<OnnxLayer>): OnnxLayer[] {
  return layers.map((layer, l) => (l === layers.length - 1 ? { ...layer, ...changes } : layer));
}

export function addLayer(chain: Chain, layer: OnnxLayer, node: OnnxNode): Chain {
  if (chain.stage === 'probabilities')
    rejectNode(node, 'follows the Softmax; only the last layer may have one');
  // A small file with one large tensor for all layers would take much memory.
  if (chain.layers.some(({ weights }) => weights.data === layer.weights.data))
    rejectNode(node, `has the weights ${quote(layer.weights.name)} of another layer; give each its own`);
  return { ...chain, layers: [...chain.layers, layer], stage: 'sums' };
}
