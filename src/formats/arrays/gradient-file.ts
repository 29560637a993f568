/** Reads a submitted gradient: .npy of the packed vector, or .npz with one array for each block. */
import { AtelierError } from '../../errors.ts';
import {
  type Architecture,
  architectureText,
  type Block,
  blocks,
} from '../../numerics/network/architecture.ts';
import { describeFile, KIND_BYTES } from '../file-kinds.ts';
import { quote, showShape } from '../models/file-error.ts';
import { NPY_SIGNATURE } from './npy-header.ts';
import { type FloatRules, parseNpz, parseTensor } from './npz.ts';
import type { Tensor } from './tensor.ts';

/** Unknown arrays that a message names. */
const MOST_SHOWN = 8;
/** The kind of .npz files. */
const ARCHIVE = 'a zip archive';
const RULES: FloatRules = {
  dtypes: ['f4', 'f8'],
  advise: (dtype) =>
    `expected f4 or f8 (float32 or float64)${dtype.endsWith('f2') ? ', because f2 has three digits only' : ''}`,
  reject,
};

/**
 * @returns the packed gradient: the blocks in the order of the report of a gradient check, each row by row
 * @throws AtelierError `invalid-gradient-file` with what was expected
 */
export function readGradientFile(bytes: Uint8Array, architecture: Architecture): Float64Array {
  const isNpy = Buffer.from(bytes.subarray(0, NPY_SIGNATURE.length)).toString('latin1') === NPY_SIGNATURE;
  if (!isNpy) assertArchive(bytes);
  return isNpy
    ? readPacked(parseTensor('gradient', bytes, RULES), architecture)
    : joinBlocks(parseNpz(bytes, RULES), architecture);
}

function assertArchive(bytes: Uint8Array): void {
  const kind = describeFile(bytes.subarray(0, KIND_BYTES));
  if (kind === ARCHIVE) return;
  reject(
    `${kind ? `it is ${kind}` : 'its kind is unknown'}; expected an .npy file with the packed gradient, or an .npz file with an array for each block`,
  );
}

/** Sizes of 1 do not count: NumPy's `keepdims` and columns add them. */
const withoutOnes = (shape: readonly number[]) => shape.filter((size) => size !== 1);

function readPacked({ data, shape }: Tensor, architecture: Architecture): Float64Array {
  const all = blocks(architecture);
  const expected = all.at(-1)!.end;
  if (data.length === expected && withoutOnes(shape).length <= 1) return Float64Array.from(data);
  const sizes = all.map(({ name, start, end }) => `${name} ${end - start}`).join(', ');
  return reject(
    `the array has shape ${showShape(shape)}; expected ${showShape([expected])}, the packed gradient of a ${architectureText(architecture)} network: ${sizes}`,
  );
}

function joinBlocks(tensors: readonly Tensor[], architecture: Architecture): Float64Array {
  const all = blocks(architecture);
  const names = all.map(({ name }) => name);
  const found = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const missing = names.filter((name) => !found.has(name));
  const unknown = tensors.filter(({ name }) => !names.includes(name)).map(({ name }) => quote(name));
  if (missing.length > 0 || unknown.length > 0) {
    const lacks = missing.length > 0 ? [`lacks ${missing.join(', ')}`] : [];
    const has = unknown.length > 0 ? [`has the unknown ${unknown.slice(0, MOST_SHOWN).join(', ')}`] : [];
    const command = `np.savez('gradient.npz', ${names[0]}=d${names[0]}, …)`;
    reject(`it ${[...lacks, ...has].join(' and ')}; expected ${names.join(', ')}, as in ${command}`);
  }
  const packed = new Float64Array(all.at(-1)!.end);
  for (const block of all) packed.set(readBlock(found.get(block.name)!, block), block.start);
  return packed;
}

function readBlock({ data, shape }: Tensor, { name, shape: expected, start, end }: Block): Tensor['data'] {
  const isFlat = withoutOnes(shape).length <= 1;
  const isShaped = withoutOnes(shape).join() === withoutOnes(expected).join();
  if (data.length === end - start && (isFlat || isShaped)) return data;
  const isTransposed = shape.length === 2 && shape.toReversed().join() === expected.join();
  const flat = expected.length > 1 ? ` or ${showShape([end - start])}` : '';
  return reject(
    `${quote(name)} has shape ${showShape(shape)}; expected ${showShape(expected)}${flat}${isTransposed ? ', so transpose it' : ''}`,
  );
}

/** @param defect completes "The gradient cannot be read: …", without a full stop */
function reject(defect: string, cause?: unknown): never {
  throw new AtelierError('invalid-gradient-file', `The gradient cannot be read: ${defect}.`, {
    cause,
    details: [{ pointer: '#/gradient', detail: defect }],
  });
}
