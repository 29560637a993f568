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

export function requireScalar(c: OnnxOperand | undefined, node: OnnxNode): number {
  if (c?.kind !== 'constant' || c.tensor.data?.length !== 1)
    return rejectNode(
      node,
      'must take the images and a single floating-point number, the same for all pixels',
    );
  return c.tensor.data[0]!;
}

function requireFloats({ name, dims, data }: OnnxTensor, node: OnnxNode): Tensor {
  if (data === null) return rejectNode(node, `needs ${quote(name)} as float, double or float16`);
  return { name, shape: dims, data };
}
