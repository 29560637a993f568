/** Operators of convolutions in ONNX graphs that can be imported: https://onnx.ai/onnx/operators */
import { GROUP_CHANNELS } from '../../numerics/network/architecture.ts';
import { isConvolution, type Tensor } from '../arrays/tensor.ts';
import { quote, showShape } from '../models/file-error.ts';
import {
  addLayer,
  type Chain,
  type OnnxLayer,
  type OnnxOperand,
  type Operator,
  rejectNode,
  withLast,
} from './chain.ts';
import { GROUP_EPSILON } from './graph.ts';
import type { OnnxNode } from './message.ts';
import {
  readAttribute,
  readText,
  requireChain,
  requireChannels,
  requireIntegers,
  requireNumber,
  requireVector,
  requireWeights,
} from './operands.ts';

export const CONVOLUTION_OPERATORS: Readonly<Record<string, Operator>> = {
  Conv: ([x, w, b], node) => {
    const chain = requireChain(x, node);
    requireNumber(node, 'group', 1);
    requireIntegers(node, 'kernel_shape', [3, 3]);
    requireIntegers(node, 'strides', [1, 1]);
    requireIntegers(node, 'dilations', [1, 1]);
    requirePadding(node);
    const { weights } = requireWeights(w, node, false);
    const { name, shape } = weights;
    if (shape.length !== 4 || shape.slice(2).join() !== '3,3')
      rejectNode(
        node,
        `has ${quote(name)} of shape ${showShape(shape)}; only (outputs, inputs, 3, 3) is supported`,
      );
    requirePlanes(chain, node);
    const biases = b === undefined ? null : requireVector(b, node);
    const layer = { weights, biases, transposed: false, activation: null };
    return addLayer({ ...chain, isReshaped: false }, layer, node);
  },
  MaxPool: ([x], node) => {
    requireIntegers(node, 'kernel_shape', [2, 2], []);
    requireIntegers(node, 'strides', [2, 2], [1, 1]);
    requireIntegers(node, 'dilations', [1, 1]);
    requireIntegers(node, 'pads', [0, 0, 0, 0]);
    requireNumber(node, 'ceil_mode', 0);
    const padding = readText(node, 'auto_pad', 'NOTSET');
    if (!['NOTSET', 'VALID'].includes(padding))
      rejectNode(node, `has the auto_pad ${padding.slice(0, 20)}; only VALID is supported`);
    const chain = requireChain(x, node);
    const last = requireConvolution(chain, node);
    if (last.isPooled) rejectNode(node, 'follows another MaxPool; one after a convolution is supported');
    return { ...chain, layers: withLast(chain, { isPooled: true }) };
  },
  BatchNormalization: ([x, ...vectors], node) => {
    const chain = requireSums(x, node);
    requireNumber(node, 'training_mode', 0);
    // 0 before opset 9 means statistics of each position.
    requireNumber(node, 'spatial', 1);
    const [scale, shift, mean, variance] = vectors.map((vector) => requireVector(vector, node));
    if (!scale || !shift || !mean || !variance) return rejectNode(node, 'must have five inputs');
    const statistics = { mean, variance, epsilon: readAttribute(node, 'epsilon', 1e-5) };
    return { ...chain, layers: withLast(chain, { norm: { scale, shift, statistics } }) };
  },
  GroupNormalization: ([x, ...vectors], node) => {
    const chain = requireSums(x, node);
    requireNumber(node, 'epsilon', GROUP_EPSILON);
    requireGroups(chain, readAttribute(node, 'num_groups', 0), node);
    const [scale, shift] = vectors.map((vector) => requireVector(vector, node));
    if (!scale || !shift) return rejectNode(node, 'must have three inputs');
    return { ...chain, layers: withLast(chain, { norm: { scale, shift, statistics: null } }) };
  },
  /** Part of the five nodes that PyTorch writes for torch.nn.GroupNorm: Reshape to groups, this one, Reshape to channels, Mul, Add. */
  InstanceNormalization: ([x, one, zero], node) => {
    const chain = requireSums(x, node, true);
    requireNumber(node, 'epsilon', GROUP_EPSILON);
    const [ones, zeros] = [one, zero].map((vector) => requireVector(vector, node)) as [Tensor, Tensor];
    requireGroups(chain, ones.data.length, node);
    if (
      !chain.isReshaped ||
      !ones.data.every((each) => each === 1) ||
      !zeros.data.every((each) => each === 0)
    )
      rejectNode(node, 'must follow a Reshape to groups, and have scales of 1 and biases of 0');
    const norm = { scale: null, shift: null, statistics: null };
    return { ...chain, layers: withLast(chain, { norm }), stage: 'groups' };
  },
};

/** An Add after a convolution: its biases, or the shifts of its group normalization. */
export function addToChannels(chain: Chain, c: OnnxOperand | undefined, node: OnnxNode): Chain {
  const { biases, norm } = requireConvolution(chain, node);
  const vector = requireChannels(c, node);
  if (norm === undefined && biases === null) return { ...chain, layers: withLast(chain, { biases: vector }) };
  if (norm === undefined || norm.statistics || norm.shift) return rejectNode(node);
  return { ...chain, layers: withLast(chain, { norm: { ...norm, shift: vector } }) };
}

/** A Mul after a convolution: the scales of its group normalization. */
export function scaleChannels(chain: Chain, c: OnnxOperand | undefined, node: OnnxNode): Chain {
  const { norm } = requireConvolution(chain, node);
  if (norm === undefined || norm.statistics || norm.scale || norm.shift) return rejectNode(node);
  return { ...chain, layers: withLast(chain, { norm: { ...norm, scale: requireChannels(c, node) } }) };
}

function requirePadding(node: OnnxNode): void {
  const padding = readText(node, 'auto_pad', 'NOTSET');
  // With a 3×3 kernel and stride 1, both add one row and column on each side.
  if (['SAME_UPPER', 'SAME_LOWER'].includes(padding)) return;
  if (padding !== 'NOTSET')
    rejectNode(node, `has the auto_pad ${padding.slice(0, 20)}; only pads of 1 are supported`);
  requireIntegers(node, 'pads', [1, 1, 1, 1], [0, 0, 0, 0]);
}

/** The images must have channels first, and a later convolution the channels of the one before. */
function requirePlanes(chain: Chain, node: OnnxNode): void {
  const { layers, stage, sizes, axes, isReshaped } = chain;
  if (stage === 'groups' || stage === 'probabilities') rejectNode(node);
  if (layers.length > 0) {
    requireConvolution(chain, node);
    return;
  }
  const channels = sizes.indexOf(3);
  const sides = axes.filter((axis) => axis !== channels && sizes[axis] !== 1);
  // All reshaped grey images with both sides have the same order.
  const isFirst = channels < 0 ? true : axes[0] === channels && !isReshaped;
  if (!isFirst || sides.length !== 2 || sides[0]! > sides[1]!)
    rejectNode(
      node,
      'must take images of known sizes, channels × height × width; transpose images with channels last, and give the input of the graph the shape of the images instead of flat ones',
    );
}

/** The last layer. */
function requireConvolution({ layers, isReshaped }: Chain, node: OnnxNode): OnnxLayer {
  const last = layers.at(-1);
  return last && isConvolution(last) && !isReshaped
    ? last
    : rejectNode(node, 'must follow a convolution, without a Flatten or Reshape between them');
}

/** The sums of a convolution without a normalization. @param isReshaped whether to groups */
function requireSums(x: OnnxOperand | undefined, node: OnnxNode, isReshaped = false): Chain {
  const chain = requireChain(x, node);
  const last = requireConvolution(isReshaped ? { ...chain, isReshaped: false } : chain, node);
  if (chain.stage !== 'sums' || last.norm || last.isPooled)
    rejectNode(
      node,
      'must directly follow a convolution: before its activation, MaxPool and any other normalization',
    );
  return chain;
}

function requireGroups({ layers }: Chain, groups: number, node: OnnxNode): void {
  const channels = layers.at(-1)!.weights.shape[0]!;
  if (groups * GROUP_CHANNELS !== channels)
    rejectNode(
      node,
      `divides ${channels} channels into ${groups} ${groups === 1 ? 'group' : 'groups'}; only groups of ${GROUP_CHANNELS} channels are supported`,
    );
}
