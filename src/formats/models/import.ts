/** Imports a model file, exported here or by another program. */

import { isDeepStrictEqual } from 'node:util';
import type { RequestedShape } from '../../domain/image-shape.ts';
import { ASSUMED_FIELDS, type ImportOrigin } from '../../domain/models/import.ts';
import type { Preprocessing } from '../../domain/predictions/preprocessing.ts';
import type { Activation } from '../../numerics/network/activations.ts';
import type { Architecture } from '../../numerics/network/architecture.ts';
import { channelCount } from '../../numerics/network/image-shape.ts';
import { channelStandardizations, type Standardization } from '../../numerics/network/layers.ts';
import { NPY_SIGNATURE } from '../arrays/npy-header.ts';
import { parseArrays, parseTensor, unpackNpz } from '../arrays/npz.ts';
import { type GivenLayers, readPackedVector } from '../arrays/packed-vector.ts';
import { parseSafetensors } from '../arrays/safetensors.ts';
import { isConvolution, type Tensor } from '../arrays/tensor.ts';
import { describeFile, KIND_BYTES } from '../file-kinds.ts';
import { importOnnx } from '../onnx/import.ts';
import { rejectModelFile } from './file-error.ts';
import {
  checkSklearnOutput,
  rejectForeignArchive,
  rejectForeignFile,
  SKLEARN_OUTPUT,
} from './foreign-files.ts';
import { groupStages } from './group-stages.ts';
import { putChannelsLast, requireInputShape } from './input-shape.ts';
import { nameLayers } from './layer-names.ts';
import {
  checkModelMetadata,
  isSameStandardization,
  type KnownMetadata,
  readModelMetadata,
} from './metadata.ts';
import { type PackedLayers, packLayers } from './pack-layers.ts';

/** Properties given with the file. Omitted ones are taken from the file. */
export interface ImportHints extends GivenLayers {
  /** Shape of the images, in the order in which the first layer takes their numbers; auto if omitted. */
  readonly inputShape?: RequestedShape | undefined;
  readonly activation?: Activation | undefined;
  readonly classNames?: readonly string[] | undefined;
  /** null means no standardization. */
  readonly standardization?: Standardization | null | undefined;
  /** The preprocessing of encoded images. */
  readonly preprocessing?: Preprocessing | undefined;
}

export interface ImportedModel {
  /** The program whose array names the file has; the file format for Atelier's own names and packed vectors. */
  readonly source: ImportOrigin['source'];
  readonly architecture: Architecture;
  /** Packed; all finite. */
  readonly parameters: Float32Array;
  /** Number of parameters that were rounded to float32. */
  readonly rounded: number;
  /** null if neither the file nor the request gives it. */
  readonly activation: Activation | null;
  readonly classNames: readonly string[] | null;
  /** null without standardization, or if neither file nor request gives it; the network then takes pixels / 255. */
  readonly standardization: Standardization | null;
  /** null if neither file nor request gives it; encoded images must then have the input shape. */
  readonly preprocessing: Preprocessing | null;
  /** Properties that neither the file nor the request gives. */
  readonly assumed: ImportOrigin['assumed'];
}

/** Field 1 of a message, the version of the format. All writers put it first. */
const ONNX_START = '\x08';

type Parts = PackedLayers & {
  readonly source: ImportOrigin['source'];
  readonly metadata?: KnownMetadata | null;
};

/**
 * Reads .npy (a packed vector), .npz, safetensors or ONNX; the format is detected from the content. `bytes` are not retained.
 * @throws AtelierError `invalid-model-file`
 */
export function importModel(bytes: Uint8Array, hints: ImportHints = {}): ImportedModel {
  const { metadata, hasBiases, ...parts } = readParts(bytes, hints);
  const { inputShape, convolutions, norm, hidden, classes } = parts.architecture;
  reconcile('convolutions', hints.convolutions, convolutions);
  reconcile('norm', hints.norm, norm);
  reconcile('hidden', hints.hidden, hidden);
  const given = {
    activation: reconcile('activation', hints.activation, metadata?.activation),
    classNames: reconcile('classNames', hints.classNames, metadata?.classNames),
    standardization: reconcile(
      'standardization',
      hints.standardization,
      metadata?.standardization,
      isSameStandardization,
    ),
  };
  const { activation = null, classNames = null, standardization = null } = given;
  const preprocessing =
    reconcile('preprocessing', hints.preprocessing, metadata?.preprocessing ?? undefined) ?? null;
  if (classNames !== null && classNames.length !== classes) {
    rejectModelFile(
      `there are ${classNames.length} class names, but the network has ${classes} classes`,
      undefined,
      hints.classNames ? 'classNames' : 'file',
    );
  }
  const isByChannel = standardization !== null && channelStandardizations(standardization).length > 1;
  if (isByChannel && channelCount(inputShape) === 1)
    rejectModelFile(
      'its standardization is by channel, but its images are grey',
      undefined,
      'standardization',
    );
  const assumed: ImportedModel['assumed'] = ASSUMED_FIELDS.filter((what) => given[what] === undefined);
  if (!hasBiases) assumed.push('biases');
  const isPoolingStated = parts.source !== 'pytorch' || metadata || hints.convolutions;
  if (convolutions.length > 0 && !isPoolingStated) assumed.push('pooling');
  return { ...parts, activation, classNames, standardization, preprocessing, assumed };
}

function readParts(bytes: Uint8Array, hints: ImportHints): Parts {
  const { inputShape = 'auto' } = hints;
  const start = Buffer.from(bytes.subarray(0, 32)).toString('latin1');
  if (start.startsWith(NPY_SIGNATURE)) {
    const packed = readPackedVector(parseTensor('array', bytes, undefined, 'the array'), hints, inputShape);
    return { source: 'packed-npy', ...inOrder(packed, inputShape) };
  }
  if (start.startsWith('PK')) {
    rejectForeignArchive(bytes);
    const arrays = unpackNpz(bytes);
    const output = arrays.get(SKLEARN_OUTPUT);
    arrays.delete(SKLEARN_OUTPUT);
    return readLayers(parseArrays(arrays), 'npz', { ...hints, output }, inputShape);
  }
  if (start[8] !== '{') {
    rejectForeignFile(start);
    if (start.startsWith(ONNX_START)) return { source: 'onnx', ...importOnnx(bytes, inputShape) };
    const kind = describeFile(bytes.subarray(0, KIND_BYTES));
    rejectModelFile(`it is ${kind ? `${kind}, ` : ''}not an .npy, .npz, safetensors or ONNX file`);
  }
  const { tensors, metadata } = parseSafetensors(bytes);
  const declared = readModelMetadata(metadata);
  // The metadata of an export always has channels last.
  const requested = inputShape === 'auto' ? undefined : inputShape;
  const given = reconcile('inputShape', requested, declared?.inputShape) ?? 'auto';
  const convolutions = reconcile('convolutions', hints.convolutions, declared?.convolutions);
  const parts = readLayers(tensors, 'safetensors', { ...hints, convolutions }, given);
  if (declared) checkModelMetadata(declared, parts);
  return { ...parts, metadata: declared };
}

function readLayers(
  tensors: readonly Tensor[],
  container: 'npz' | 'safetensors',
  { convolutions, norm, output }: ImportHints & { readonly output?: Uint8Array | undefined },
  given: RequestedShape,
): Parts {
  const { naming, layers } = nameLayers(tensors, given, norm);
  const { weights, transposed } = layers.at(-1)!;
  if (output) checkSklearnOutput(output, weights.shape[transposed ? 1 : 0] ?? 0);
  const staged = layers.some(isConvolution)
    ? groupStages(layers, requireInputShape(given), convolutions)
    : layers;
  const packed = packLayers(staged, given, naming === 'sklearn');
  return { source: naming === 'atelier' ? container : naming, ...inOrder(packed, given) };
}

const inOrder = (packed: PackedLayers, given: RequestedShape): PackedLayers =>
  given === 'auto' ? packed : putChannelsLast(packed, given);

/** Returns the value given by the request or the file, and rejects the file if both are given and differ. */
function reconcile<T>(
  what: keyof ImportHints,
  given: T | undefined,
  found: T | undefined,
  isEqual: (a: T, b: T) => boolean = isDeepStrictEqual,
): T | undefined {
  if (given !== undefined && found !== undefined && !isEqual(given, found)) {
    const defect = `its ${what} is ${showValue(found)}, but the request has ${showValue(given)}; omit it in the request`;
    rejectModelFile(defect, undefined, what);
  }
  return given === undefined ? found : given;
}

function showValue(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
