/** Operators of ONNX graphs that can be imported: https://onnx.ai/onnx/operators */

import type { Activation } from '../../numerics/network/activations.ts';
import { isConvolution } from '../arrays/tensor.ts';
import { ONNX_ACTIVATIONS } from './activations.ts';
import {
  addLayer,
  type Chain,
  isBinary,
  type OnnxOperand,
  type Operator,
  rejectNode,
  withLast,
} from './chain.ts';
import { addToChannels, CONVOLUTION_OPERATORS, scaleChannels } from './convolutions.ts';
import { ELEMENT_TYPES, type OnnxNode, type OnnxTensor } from './message.ts';
import {
  readAttribute,
  requireChain,
  requireNumber,
  requireNumbers,
  requireVector,
  requireWeights,
} from './operands.ts';
import { divide, multiply, type Scaling, subtract } from './scaling.ts';

/** The default axis, 1 or −1 by version, is the last one of the two dimensions. */
const LAST_AXES = [-1, 1];
/** Casts to these types keep the values, except for rounding that the service also does. */
const FLOATS: readonly number[] = [ELEMENT_TYPES.float, ELEMENT_TYPES.double];

const other: Operator = (_, node) => ({ kind: 'other', node });
const keep: Operator = ([x], node) => x ?? { kind: 'other', node };

/** Row-major order stays, and the layer that follows takes whole images only. */
const keepOrder: Operator = ([x], node) =>
  x?.kind === 'chain' ? { ...x, isReshaped: true } : { kind: 'other', node };

const activate =
  (kind: Activation, alpha: number | undefined): Operator =>
  ([x], node) => {
    if (alpha !== undefined) requireNumber(node, 'alpha', alpha);
    const chain = requireChain(x, node, 'sums');
    if (kind === 'silu') rejectPooled(chain, node);
    const layers = withLast(chain, { activation: { kind, node } });
    return { ...chain, layers, stage: 'activations' };
  };

const ACTIVATION_OPERATORS = Object.fromEntries(
  Object.entries(ONNX_ACTIVATIONS).flatMap(([kind, activation]) =>
    activation === null ? [] : [[activation.operator, activate(kind as Activation, activation.alpha)]],
  ),
);

const toProbabilities: Operator = ([x], node) => {
  const chain = requireChain(x, node, 'sums');
  if (!LAST_AXES.includes(readAttribute(node, 'axis', 1)))
    rejectNode(node, 'must have the axis of the classes, 1 or -1');
  return { ...chain, stage: 'probabilities' };
};

export const OPERATORS: Readonly<Record<string, Operator>> = {
  Gemm: ([x, w, b], node) => {
    if (readAttribute(node, 'transA', 0) !== 0) rejectNode(node, 'has transA; only transB is supported');
    const weights = requireWeights(w, node, readAttribute(node, 'transB', 0) === 0);
    const biases = b === undefined ? null : requireVector(b, node);
    // Without biases of its own, a Gemm may be followed by an Add. Beta does not apply to it.
    const factors = {
      weights: readAttribute(node, 'alpha', 1),
      biases: biases === null ? 1 : readAttribute(node, 'beta', 1),
    };
    return addLayer(requireChain(x, node), { ...weights, biases, factors, activation: null }, node);
  },
  MatMul: ([x, w], node) => {
    const weights = requireWeights(w, node, true);
    return addLayer(requireChain(x, node), { ...weights, biases: null, activation: null }, node);
  },
  Add: ([a, b], node) => {
    const [x, c] = a?.kind === 'chain' ? [a, b] : [b, a];
    const chain = requireChain(x, node);
    if (chain.stage === 'input') {
      const numbers = requireNumbers(c, node, chain).map((number) => -number);
      return { ...chain, scaling: subtract(chain.scaling, numbers) };
    }
    if (chain.stage === 'sums' && isConvolution(chain.layers.at(-1)!)) return addToChannels(chain, c, node);
    if (chain.stage !== 'sums' || chain.layers.at(-1)!.biases !== null) return rejectNode(node);
    return { ...chain, layers: withLast(chain, { biases: requireVector(c, node) }) };
  },
  Sub: ([x, c], node) => {
    if (c?.kind === 'chain' && isBinary(c) && x?.kind === 'constant') {
      const [one] = requireNumbers(x, node, c);
      if (one === 1) return { kind: 'complement', chain: c };
    }
    return scale(x, c, node, subtract);
  },
  Div: ([x, c], node) =>
    isDenseSums(x) ? scaleSums(x, c, node, (number) => 1 / number) : scale(x, c, node, divide),
  Mul: ([a, b], node) => {
    if (a?.kind === 'chain' && b?.kind === 'chain') return multiplyByGate(a, b, node);
    const [x, c] = a?.kind === 'chain' ? [a, b] : [b, a];
    if (x?.kind === 'chain' && x.stage === 'sums' && isConvolution(x.layers.at(-1)!))
      return scaleChannels(x, c, node);
    if (isDenseSums(x)) return scaleSums(x, c, node, (number) => number);
    return scale(x, c, node, multiply);
  },
  Concat: ([a, b, more], node) => {
    if (a?.kind !== 'complement' || b?.kind !== 'chain' || more !== undefined) return rejectNode(node);
    return b.layers.at(-1) === a.chain.layers.at(-1) ? { ...b, stage: 'probabilities' } : rejectNode(node);
  },
  ...ACTIVATION_OPERATORS,
  ...CONVOLUTION_OPERATORS,
  Softmax: toProbabilities,
  LogSoftmax: toProbabilities,
  Identity: keep,
  Dropout: keep,
  Flatten: keepOrder,
  Reshape: ([x], node) =>
    x?.kind === 'chain' && x.stage === 'groups'
      ? { ...x, stage: 'sums', isReshaped: false }
      : keepOrder([x], node),
  Squeeze: keepOrder,
  Unsqueeze: keepOrder,
  Cast: ([x], node) => {
    const to = readAttribute(node, 'to', 0);
    if (x?.kind === 'chain' && (FLOATS.includes(to) || to === ELEMENT_TYPES.float16)) return x;
    if (x?.kind === 'constant' && FLOATS.includes(to)) return x;
    return x?.kind === 'chain'
      ? rejectNode(node, 'must convert to float, double or float16')
      : other([], node);
  },
  Transpose: ([x], node) => {
    if (x?.kind === 'chain') return permuteAxes(requireChain(x, node, 'input'), node);
    if (x?.kind !== 'constant') return other([], node);
    return x.tensor.dims.length === 2 && isSwap(node) ? { ...x, transposed: !x.transposed } : other([], node);
  },
  Constant: (_, node) => {
    const [name] = node.outputs;
    const { value, value_float: single } = node.attributes;
    const constant = (tensor: OnnxTensor): OnnxOperand => ({ kind: 'constant', tensor, transposed: false });
    if (value && 'tensor' in value) return constant({ ...value.tensor, name: name ?? '' });
    if (!single || !('float' in single)) return other([], node);
    return constant({ name: name ?? '', dims: [], data: Float32Array.of(single.float) });
  },
  ArgMax: other,
  Shape: other,
};

function isSwap({ attributes: { perm } }: OnnxNode): boolean {
  return perm === undefined || ('ints' in perm && perm.ints.join() === '1,0');
}

/** Only silu is not monotonic: its maximum is not that of the sums. */
function rejectPooled({ layers }: Chain, node: OnnxNode): void {
  if (layers.at(-1)!.isPooled) rejectNode(node, 'is silu after a MaxPool; it must be before the MaxPool');
}

/** Transposes the images, but not the batch. */
function permuteAxes(chain: Chain, node: OnnxNode): Chain {
  const { perm } = node.attributes;
  const [batch, ...order] = perm && 'ints' in perm ? perm.ints : [];
  const axes = order.flatMap((axis) => chain.axes[axis - 1] ?? []);
  if (chain.isReshaped || batch !== 0 || new Set(axes).size !== chain.axes.length)
    rejectNode(node, 'must permute the axes of the images, whose sizes the input of the graph must have');
  return { ...chain, axes };
}

/** silu as two nodes: the sums of a layer times their sigmoid, in either order. */
function multiplyByGate(a: Chain, b: Chain, node: OnnxNode): Chain {
  const [sums, gate] = a.stage === 'sums' ? [a, b] : [b, a];
  const [layer, gated] = [sums.layers.at(-1), gate.layers.at(-1)];
  const isGate = gate.stage === 'activations' && gated?.activation?.kind === 'sigmoid';
  // Not equal, but the same: objects of one Gemm, MatMul or Conv, of one Add, of one Mul or Div, and of one normalization.
  const isSame =
    layer?.weights === gated?.weights &&
    layer?.biases === gated?.biases &&
    layer?.factors === gated?.factors &&
    layer?.norm === gated?.norm;
  if (sums.stage !== 'sums' || !isGate || !isSame) return rejectNode(node);
  for (const each of [sums, gate]) rejectPooled(each, node);
  return { ...gate, layers: withLast(gate, { activation: { kind: 'silu', node } }) };
}

function scale(
  x: OnnxOperand | undefined,
  c: OnnxOperand | undefined,
  node: OnnxNode,
  change: (scaling: Scaling, numbers: readonly number[]) => Scaling,
): Chain {
  const chain = requireChain(x, node, 'input');
  return { ...chain, scaling: change(chain.scaling, requireNumbers(c, node, chain)) };
}

const isDenseSums = (x: OnnxOperand | undefined): x is Chain =>
  x?.kind === 'chain' && x.stage === 'sums' && !isConvolution(x.layers.at(-1)!);

/** The sums of a fully connected layer times a number, such as logits divided by a temperature: part of weights and biases. */
function scaleSums(
  chain: Chain,
  c: OnnxOperand | undefined,
  node: OnnxNode,
  toFactor: (number: number) => number,
): Chain {
  const [number, ...more] = (c?.kind === 'constant' && c.tensor.data) || [];
  if (number === undefined || more.length > 0)
    return rejectNode(node, 'must take the sums of a layer and a single floating-point number');
  const layer = chain.layers.at(-1)!;
  const { weights, biases } = layer.factors ?? { weights: 1, biases: 1 };
  const factor = toFactor(number);
  // Biases that are added later are not multiplied.
  const factors = { weights: weights * factor, biases: layer.biases === null ? 1 : biases * factor };
  return { ...chain, layers: withLast(chain, { factors, unscaled: layer.unscaled ?? layer }) };
}
