/** Named arrays in model files. */
import { type Architecture, blocks } from '../../numerics/network/architecture.ts';

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** In C order. Bfloat16 is widened to float32 without rounding. */
  readonly data: Float16Array | Float32Array | Float64Array;
}

export interface Float32Tensor extends Tensor {
  readonly data: Float32Array;
}

/** Normalization of the channels of a convolution, before its activation. */
export interface Normalization {
  /** One number a channel; 1 if null. */
  readonly scale: Tensor | null;
  /** One number a channel; 0 if null. */
  readonly shift: Tensor | null;
  /** The statistics of batch normalization, which becomes part of the convolution; null for group normalization. */
  readonly statistics: { readonly mean: Tensor; readonly variance: Tensor; readonly epsilon: number } | null;
}

/** The tensors of one layer. The weights of a convolution have four dimensions. */
export interface LayerTensors {
  readonly weights: Tensor;
  /** null for a layer without biases, such as PyTorch's `Linear(bias=False)`. */
  readonly biases: Tensor | null;
  /** Whether the weights are inputs × units instead of units × inputs. */
  readonly transposed: boolean;
  /** Factors of weights and biases; 1 if omitted. */
  readonly factors?: { readonly weights: number; readonly biases: number };
  /** Only convolutions can have one. */
  readonly norm?: Normalization;
  /** Whether max pooling follows the convolution. */
  readonly isPooled?: boolean;
}

export const isConvolution = ({ weights }: LayerTensors): boolean => weights.shape.length === 4;

/** Limit of tensors in a file; twelve convolutions with batch normalization and nine fully connected layers need 102. */
export const MAX_TENSORS = 128;

/** Counter of PyTorch's batch normalization. It is an integer, which inference does not need. */
export const isCounter = (name: string): boolean => /(?:^|\.)num_batches_tracked$/.test(name);

/** K1, c1, …, W1 (d1 × d0), b1 (d1), W2, b2, … as views of the packed vector. */
export function layerTensors(architecture: Architecture, parameters: Float32Array): Float32Tensor[] {
  return blocks(architecture).map(({ name, shape, start, end }) => ({
    name,
    shape,
    data: parameters.subarray(start, end),
  }));
}

/** The bytes of a view, without a copy. They are little-endian on all supported platforms. */
export function viewBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
