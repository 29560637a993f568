/** The JSON export: nested arrays by tensor name. */

import { type Architecture, layerSizes } from '../../numerics/network/architecture.ts';
import { DEFAULT_IMAGE_SHAPE, type ImageShape, isSameShape } from '../../numerics/network/image-shape.ts';
import { type Float32Tensor, layerTensors } from '../arrays/tensor.ts';
import type { PublishedModel } from './metadata.ts';

/** Numbers in nested arrays, one level a dimension. */
type Nested = readonly (number | Nested)[];

interface ModelJson
  extends Omit<PublishedModel, 'parameters' | 'architecture'>,
    Partial<Pick<Architecture, 'convolutions' | 'norm'>> {
  readonly layerSizes: readonly number[];
  /** Omitted for the default shape, as in earlier releases. */
  readonly inputShape?: ImageShape;
  readonly parameters: Readonly<Record<string, Nested>>;
}

/** Writes each float32 parameter so that it reads back exactly. */
export function jsonBytes(model: PublishedModel): Uint8Array {
  const { name, version, architecture, activation, standardization, classNames, digest } = model;
  const { preprocessing } = model;
  const { inputShape, convolutions, norm } = architecture;
  const tensors = layerTensors(architecture, model.parameters).map(
    (each) => [each.name, nested(each)] as const,
  );
  const parameters = Object.fromEntries(tensors);
  const json: ModelJson = {
    name,
    version,
    ...(!isSameShape(inputShape, DEFAULT_IMAGE_SHAPE) && { inputShape }),
    layerSizes: layerSizes(architecture),
    ...(convolutions.length > 0 && { convolutions, norm }),
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
  const nested: readonly unknown[] = Object.values(parameters);
  return Float32Array.from(nested.flat(4) as number[]);
}

function nested({ shape, data }: Pick<Float32Tensor, 'shape' | 'data'>): Nested {
  const [rows, ...rest] = shape;
  if (rest.length === 0) return [...data];
  const size = data.length / rows!;
  return Array.from({ length: rows! }, (_, i) =>
    nested({ shape: rest, data: data.subarray(i * size, (i + 1) * size) }),
  );
}
