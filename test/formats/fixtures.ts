/** Models to write and files to read. */

import { readFileSync } from 'node:fs';
import type { RequestedShape } from '../../src/domain/image-shape.ts';
import type { ImportOrigin } from '../../src/domain/models/import.ts';
import { npyBytes, parseNpy } from '../../src/formats/arrays/npy.ts';
import type { Float32Tensor } from '../../src/formats/arrays/tensor.ts';
import type { ImportHints } from '../../src/formats/models/import.ts';
import { type PublishedModel, parametersDigest } from '../../src/formats/models/metadata.ts';
import { type Architecture, type Norm, parameterCount } from '../../src/numerics/network/architecture.ts';
import type { ImageShape } from '../../src/numerics/network/image-shape.ts';
import type { Network, Standardization } from '../../src/numerics/network/layers.ts';

/** Within ±0.05, all different: multiples of a prime modulo 2³². */
export function numbers(count: number, seed = 0): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => ((((i + seed + 1) * 2_654_435_761) % 2 ** 32) / 2 ** 32 - 0.5) / 10,
  );
}

/** A model of square grey images, in shared memory, as the service holds its parameters. */
export function modelOf(architecture: Architecture, changes: Partial<Network> = {}): PublishedModel {
  const count = parameterCount(architecture);
  const parameters = new Float32Array(new SharedArrayBuffer(4 * count));
  parameters.set(numbers(count));
  const standardization = { mean: 0.25, std: 0.5 };
  return publishedModel({ architecture, activation: 'tanh', standardization, ...changes }, parameters);
}

export function publishedModel(network: Network, parameters: Float32Array): PublishedModel {
  const classNames = Array.from({ length: network.architecture.classes }, (_, k) => `class ${k}, “é”`);
  return {
    ...network,
    name: 'my-model',
    version: 7,
    classNames,
    preprocessing: null,
    parameters,
    digest: parametersDigest(parameters),
  };
}

export function tensor(name: string, ...shape: number[]): Float32Tensor {
  return { name, shape, data: numbers(shape.reduce((product, dimension) => product * dimension, 1)) };
}

export function npyEntry(name: string, data: Float32Array | Float64Array | Uint8Array, shape: number[]) {
  return { [`${name}.npy`]: npyBytes(data, shape) };
}

/** A file, as recorded by scripts/fixtures/model_format.py. */
export interface FormatFixture {
  readonly file: string;
  readonly activation: Network['activation'];
  readonly hidden: number[];
  readonly standardization: Standardization | null;
  /** 8 × classes */
  readonly probabilities: number[][];
}

export function formatFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/formats/${name}`, import.meta.url)));
}

/** The files of scripts/fixtures/model_format.py, import.py and onnx.py. */
export const formatFixtures = ['expected.json', 'expected-without-biases.json', 'expected-onnx.json'].flatMap(
  (name) => JSON.parse(Buffer.from(formatFixture(name)).toString()) as FormatFixture[],
);

/** A network of images of another shape than 28×28, as recorded by scripts/fixtures/image_shapes.py. */
export interface ShapeFixture {
  readonly file: string;
  /** Its first images are those of the probabilities. */
  readonly images: string;
  readonly inputShape: ImageShape;
  /** The field of an import, if the file does not have the shape. */
  readonly given?: RequestedShape;
  readonly activation?: Network['activation'];
  readonly standardization?: Standardization;
  readonly probabilities: number[][];
}

export const shapeFixtures = JSON.parse(
  Buffer.from(formatFixture('shapes/expected.json')).toString(),
) as ShapeFixture[];

/** A network with convolutions, as recorded by scripts/fixtures/convolution_files.py. */
export interface ConvolutionFixture extends Pick<Architecture, 'convolutions' | 'hidden'> {
  readonly file: string;
  readonly inputShape: ImageShape;
  readonly activation: Network['activation'];
  readonly norm?: Norm;
  readonly standardization?: Standardization;
  /** The fields of an import for what the file does not hold. */
  readonly given?: ImportHints;
  readonly probabilities: number[][];
}

export const convolutionFixtures = JSON.parse(
  Buffer.from(formatFixture('convolutions/expected.json')).toString(),
) as ConvolutionFixture[];

/** 8 × 784 */
export const fixtureImages = parseNpy(formatFixture('images.npy')).data as Uint8Array;

export function sourceOf({ file }: FormatFixture): ImportOrigin['source'] {
  if (file.endsWith('.onnx')) return 'onnx';
  return file.startsWith('sklearn') ? 'sklearn' : 'pytorch';
}
