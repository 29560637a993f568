/** Checks the inputs and attributes of nodes of ONNX graphs. */

import type { Tensor } from '../arrays/tensor.ts';
import { quote, showShape } from '../models/file-error.ts';
import { type Chain, type OnnxOperand, rejectNode } from './chain.ts';
import type { OnnxNode, OnnxTensor } from './message.ts';

/** @param preset the default of the attribute */
export function readAttribute(node: OnnxNode, name: string, preset: number): number {
  const value = Object.hasOwn(node.attributes, name) ? node.attributes[name]! : { float: preset };
  if ('int' in value) return value.int;
  return 'float' in value ? value.float : rejectNode(node, `has an attribute ${name} that is not a number`);
}

/** @param preset the default of the attribute */
export function readText(node: OnnxNode, name: string, preset: string): string {
  const value = Object.hasOwn(node.attributes, name) ? node.attributes[name]! : { text: preset };
  return 'text' in value ? value.text : rejectNode(node, `has an attribute ${name} that is not text`);
}

/** Rejects another value of an attribute. @param preset its default */
export function requireNumber(node: OnnxNode, name: string, allowed: number, preset = allowed): void {
  const value = readAttribute(node, name, preset);
  if (Math.fround(value) !== Math.fround(allowed))
    rejectNode(node, `has the ${name} ${value}; only ${allowed} is supported`);
}

/** Rejects another list of integers. @param preset the default of the attribute */
export function requireIntegers(
  node: OnnxNode,
  name: string,
  allowed: readonly number[],
  preset: readonly number[] = allowed,
): void {
  const value = Object.hasOwn(node.attributes, name) ? node.attributes[name]! : { ints: preset };
  const found = 'ints' in value ? value.ints : rejectNode(node, `has ${name} that are not integers`);
  if (found.join() !== allowed.join())
    rejectNode(
      node,
      `has ${found.length === 0 ? `no ${name}` : `the ${name} ${found.slice(0, 8).join(', ')}`}; only ${allowed.join(', ')} are supported`,
    );
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

/** One number for each channel of a convolution, of shape (channels, 1, 1) or (1, channels, 1, 1). */
export function requireChannels(c: OnnxOperand | undefined, node: OnnxNode): Tensor {
  if (c?.kind !== 'constant') return rejectNode(node, 'must have numbers that are an initializer');
  const { shape, ...vector } = requireFloats(c.tensor, node);
  const channels = shape.at(-3) ?? 0;
  return vector.data.length === channels
    ? { ...vector, shape: [channels] }
    : rejectNode(
        node,
        `has ${quote(vector.name)} of shape ${showShape(shape)}; after a convolution, it must have one number for each channel, as (channels, 1, 1)`,
      );
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
