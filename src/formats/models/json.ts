/** The JSON export: nested arrays by tensor name. */

import { DEFAULT_IMAGE_SHAPE } from '../../domain/image-shape.ts';
import { layerSizes } from '../../numerics/network/architecture.ts';
import { type ImageShape, isSameShape } from '../../numerics/network/image-shape.ts';
import { type Float32Tensor, layerTensors } from '../arrays/tensor.ts';
import type { PublishedModel } from './metadata.ts';

interface ModelJson extends Omit<PublishedModel, 'parameters' | 'architecture'> {
  readonly layerSizes: readonly number[];
  /** Omitted for the default shape, as in earlier releases. */
  readonly inputShape?: ImageShape;
  readonly parameters: Readonly<Record<string, number[] | number[][]>>;
}

/** Writes each float32 parameter so that it reads back exactly. */
export function jsonBytes(model: PublishedModel): Uint8Array {
  const { name, version, architecture, activation, standardization, classNames, digest } = model;
  const { preprocessing } = model;
  const { inputShape } = architecture;
  const tensors = layerTensors(architecture, model.parameters).map(
    (each) => [each.name, nested(each)] as const,
  );
  const parameters = Object.fromEntries(tensors);
  const json: ModelJson = {
    name,
    version,
    ...(!isSameShape(inputShape, DEFAULT_IMAGE_SHAPE) && { inputShape }),
    layerSizes: layerSizes(architecture),
    activation,
    standardization,
    classNames,
    preprocessing,
    digest,
    parameters,
  };
  return Buffer.from(JSON.stringify(json));
}

/** Reads the packed parameters from the output of `jsonBytes`. */
export function jsonParameters(file: Uint8Array): Float32Array {
  const { parameters } = JSON.parse(Buffer.from(file).toString()) as ModelJson;
  return Float32Array.from(Object.values(parameters).flat(2));
}

function nested({ shape, data }: Float32Tensor): number[] | number[][] {
  if (shape.length === 1) return [...data];
  const [rows, columns] = shape as [number, number];
  return Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
}
