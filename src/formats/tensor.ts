/** Named arrays, as files of parameters hold them. */
import { blocks, type LayerSizes } from '../numerics/network.ts';

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** In C order. Bfloat16 arrives as float32, which holds it exactly. */
  readonly data: Float16Array | Float32Array | Float64Array;
}

export interface Float32Tensor extends Tensor {
  readonly data: Float32Array;
}

/** One layer's. */
export interface LayerTensors {
  readonly weights: Tensor;
  readonly biases: Tensor;
}

/** Names for up to eight hidden layers, and more than anyone needs. */
export const MAX_TENSORS = 64;

/** W1 (d1 × d0), b1 (d1), W2, b2, … as views of the packed vector. */
export function layerTensors(layerSizes: LayerSizes, parameters: Float32Array): Float32Tensor[] {
  return blocks(layerSizes).map(({ name, shape, start, end }) => ({
    name,
    shape,
    data: parameters.subarray(start, end),
  }));
}

/** The bytes of a view, without a copy; little-endian, as every machine is that runs this. */
export function viewBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
