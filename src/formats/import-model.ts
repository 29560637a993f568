/** Bytes of a model that was made elsewhere, or exported here, → its packed parameters and what is known of it. */
import { isDeepStrictEqual } from 'node:util';
import { ASSUMED_FIELDS, type ImportOrigin } from '../domain/model-import.ts';
import type { Activation, LayerSizes, Standardization } from '../numerics/network.ts';
import { nameLayers } from './layer-names.ts';
import { rejectModelFile } from './model-file-error.ts';
import { type ModelMetadata, readModelMetadata } from './model-metadata.ts';
import { parseNpz, parseTensor } from './npz.ts';
import { packLayers } from './pack-layers.ts';
import { readPackedVector } from './packed-vector.ts';
import { parseSafetensors } from './safetensors.ts';
import type { Tensor } from './tensor.ts';

/** What the sender says of the file; what is left out is the file's to say. */
export interface ImportHints {
  /** Units of the hidden layers. A packed vector cannot be read without. */
  readonly hidden?: readonly number[] | undefined;
  readonly activation?: Activation | undefined;
  readonly classNames?: readonly string[] | undefined;
  /** Null says: none. */
  readonly standardization?: Standardization | null | undefined;
}

export interface ImportedModel {
  /** Who wrote it, as far as names tell. */
  readonly source: ImportOrigin['source'];
  readonly layerSizes: LayerSizes;
  /** Packed, finite. */
  readonly parameters: Float32Array;
  /** How many of them float32 does not hold exactly, and were rounded to it. */
  readonly rounded: number;
  /** Null where neither the file nor the sender says. */
  readonly activation: Activation | null;
  readonly classNames: readonly string[] | null;
  /** Null also where neither says: pixels / 255 as they are. */
  readonly standardization: Standardization | null;
  /** Of which neither says anything. */
  readonly assumed: ImportOrigin['assumed'];
}

type Parts = Pick<ImportedModel, 'source' | 'layerSizes' | 'parameters' | 'rounded'> & {
  readonly metadata?: ModelMetadata | null;
};

/**
 * The file may be .npy (packed vector), .npz or safetensors; it says itself which. `bytes` are not kept.
 * @throws AtelierError `invalid-model-file`
 */
export function importModel(bytes: Uint8Array, hints: ImportHints = {}): ImportedModel {
  const { metadata, ...parts } = readParts(bytes, hints);
  const { layerSizes } = parts;
  const hidden = layerSizes.slice(1, -1);
  reconcile('hidden', hints.hidden, hidden);
  const said = {
    activation: reconcile('activation', hints.activation, metadata?.activation),
    classNames: reconcile('classNames', hints.classNames, metadata?.classNames),
    standardization: reconcile('standardization', hints.standardization, metadata?.standardization),
  };
  const { activation = null, classNames = null, standardization = null } = said;
  if (classNames !== null && classNames.length !== layerSizes.at(-1)) {
    rejectModelFile(
      `there are ${classNames.length} class names, and it has ${layerSizes.at(-1)} classes`,
      undefined,
      hints.classNames ? 'classNames' : 'file',
    );
  }
  const assumed = ASSUMED_FIELDS.filter((what) => said[what] === undefined);
  return { ...parts, activation, classNames, standardization, assumed };
}

function readParts(bytes: Uint8Array, { hidden }: ImportHints): Parts {
  const start = Buffer.from(bytes.subarray(0, 9)).toString('latin1');
  if (start.startsWith('\x93NUMPY')) {
    return { source: 'packed-npy', ...readPackedVector(parseTensor('the array', bytes), hidden) };
  }
  if (start.startsWith('PK')) return readLayers(parseNpz(bytes), 'npz');
  if (start[8] !== '{') rejectModelFile('it is none of .npy, .npz and safetensors');
  const { tensors, metadata } = parseSafetensors(bytes);
  const parts = readLayers(tensors, 'safetensors');
  return { ...parts, metadata: readModelMetadata(metadata, parts) };
}

function readLayers(tensors: readonly Tensor[], container: 'npz' | 'safetensors'): Parts {
  const named = nameLayers(tensors);
  return { source: named.naming === 'own' ? container : named.naming, ...packLayers(named) };
}

/** What one says and the other does not contradict. */
function reconcile<T>(what: keyof ImportHints, said: T | undefined, found: T | undefined): T | undefined {
  if (said !== undefined && found !== undefined && !isDeepStrictEqual(said, found)) {
    const defect = `its ${what} is ${showValue(found)}, and the request says ${showValue(said)}; leave it out there`;
    rejectModelFile(defect, undefined, what);
  }
  return said === undefined ? found : said;
}

function showValue(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
