/** Checks the inputs and attributes of nodes of ONNX graphs. */

import type { Tensor } from '../arrays/tensor.ts';
import { quote } from '../models/file-error.ts';
import { type Chain, type OnnxOperand, rejectNode } from './chain.ts';
import type { OnnxNode, OnnxTensor } from './message.ts';

/** @param preset the default of the attribute */
export function readAttribute(node: OnnxNode, name: string, preset: number): number {
  const value = Object.hasOwn(node.attributes, name) ? node.attributes[name]! : { float: preset };
  if ('int' in value) return value.int;
  return 'float' in value ? value.float : rejectNode(node, `has an attribute ${name} that is not a number`);
}

export function requireChain(x: OnnxOperand | undefined, node: OnnxNode, stage?: Chain['stage']): Chain {
  return x?.kind === 'chain' && (stage === undefined || x.stage === stage) ? x : rejectNode(node);
}

/** @param transposed whether the operator takes weights of inputs × units */
export function requireWeights(w: OnnxOperand | undefined, node: OnnxNode, transposed: boolean) {
  if (w?.kind !== 'constant')
    return rejectNode(node, 'must have weights that are an initializer, as second input');
  return { weights: requireFloats(w.tensor, node), transposed: transposed !== w.transposed };
}

/** Biases of shape (units,) or (1, units). */
export function requireVector(b: OnnxOperand | undefined, node: OnnxNode): Tensor {
  if (b?.kind !== 'constant' || b.transposed)
    return rejectNode(node, 'must have biases that are an initializer');
  const { shape, ...vector } = requireFloats(b.tensor, node);
  return { ...vector, shape: shape.slice(0, -1).every((rows) => rows === 1) ? shape.slice(-1) : shape };
}

/** One number, or one for each channel: broadcasting aligns the last axes. */
export function requireNumbers(c: OnnxOperand | undefined, node: OnnxNode, chain: Chain): number[] {
  const { data = null, dims } = c?.kind === 'constant' ? c.tensor : { dims: [] };
  const { sizes, axes, isReshaped } = chain;
  const axis = axes.at(dims.findIndex((size) => size !== 1) - dims.length);
  const isByChannel = !isReshaped && data?.length === 3 && axis !== undefined && sizes[axis] === 3;
  if (data?.length !== 1 && !isByChannel)
    return rejectNode(
      node,
      'must take the images and a single floating-point number, the same for all pixels, or one for each channel',
    );
  return [...data];
}

function requireFloats({ name, dims, data }: OnnxTensor, node: OnnxNode): Tensor {
  if (data === null) return rejectNode(node, `needs ${quote(name)} as float, double or float16`);
  return { name, shape: dims, data };
}
