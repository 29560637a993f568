/** Files of submitted gradients: what is read, and what is rejected with what was expected. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { AtelierError } from '../../../src/errors.ts';
import { readGradientFile } from '../../../src/formats/arrays/gradient-file.ts';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { blocks } from '../../../src/numerics/network/architecture.ts';
import { dense } from '../../support/dense.ts';

const FIXTURES = new URL('../../fixtures/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, FIXTURES));
const architecture = dense([12, 6, 6, 4]);
const right: number[] = JSON.parse(read('numerics/gradient-mistakes.json').toString()).dense[0].right;

const npz = (arrays: Readonly<Record<string, Uint8Array>>) =>
  zipSync(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])));
const zeros = (...shape: number[]) =>
  npyBytes(new Float64Array(shape.reduce((product, size) => product * size, 1)), shape);
const all = Object.fromEntries(blocks(architecture).map(({ name, shape }) => [name, zeros(...shape)]));

/** @param defect completes "The gradient cannot be read: …" */
function assertRejected(bytes: Uint8Array, defect: RegExp): void {
  assert.throws(
    () => readGradientFile(bytes, architecture),
    (error) => {
      assert.ok(error instanceof AtelierError && error.code === 'invalid-gradient-file', String(error));
      assert.match(error.message, new RegExp(`^The gradient cannot be read: ${defect.source}\\.$`));
      const [detail] = error.details;
      assert.ok(detail && 'pointer' in detail && detail.pointer === '#/gradient');
      return true;
    },
  );
}

test('reads a packed vector of float64 or float32, also as a column or a row', () => {
  for (const shape of [[148], [148, 1], [1, 148]]) {
    assert.deepEqual([...readGradientFile(npyBytes(Float64Array.from(right), shape), architecture)], right);
  }
  const single = Float32Array.from(right);
  assert.deepEqual([...readGradientFile(npyBytes(single, [148]), architecture)], [...single]);
});

test('reads arrays of NumPy by their names: in any order, Fortran order, flat, with sizes of 1, float32', () => {
  const found = readGradientFile(read('numerics/gradient-mistakes.npz'), architecture);
  assert.deepEqual(
    [...found],
    right.map((value, i) => (i >= 120 && i < 144 ? Math.fround(value) : value)),
  );
});

test('rejects a wrong length with the blocks of the network', () => {
  const expected =
    /expected \(148,\), the packed gradient of a 12-6-6-4 network: W1 72, b1 6, W2 36, b2 6, W3 24, b3 4/;
  for (const [shape, shown] of [
    [[147], '\\(147,\\)'],
    [[2, 74], '\\(2, 74\\)'],
    [[0], '\\(0,\\)'],
  ] as const) {
    assertRejected(zeros(...shape), new RegExp(`the array has shape ${shown}; ${expected.source}`));
  }
});

test('rejects other types of numbers with the types that are allowed', () => {
  assertRejected(
    npyBytes(new Uint8Array(148), [148]),
    /"gradient": dtype \|u1 is not supported; expected f4 or f8 \(float32 or float64\)/,
  );
  assertRejected(
    read('npy/f2.npy'),
    /"gradient": dtype <f2 is not supported; expected f4 or f8 \(.*\), because f2 has three digits only/,
  );
  assertRejected(
    read('npy/complex.npy'),
    /"gradient": dtype <c8 \(complex\) is not supported; expected f4 or f8 \(.*\)/,
  );
  assertRejected(read('npy/big-endian.npy'), /"gradient": dtype >.* is big-endian; .*/);
});

test('rejects missing and unknown arrays with the names that are expected', () => {
  const { b2: _, W3: __, ...rest } = all;
  const expected = /expected W1, b1, W2, b2, W3, b3, as in np\.savez\('gradient\.npz', W1=dW1, …\)/;
  assertRejected(npz(rest), new RegExp(`it lacks b2, W3; ${expected.source}`));
  assertRejected(
    npz({ ...all, loss: zeros(1) }),
    new RegExp(`it has the unknown "loss"; ${expected.source}`),
  );
  assertRejected(
    npz({ arr_0: zeros(148) }),
    new RegExp(`it lacks W1, b1, W2, b2, W3, b3 and has the unknown "arr_0"; ${expected.source}`),
  );
});

test('rejects a wrong shape with the shapes that are expected', () => {
  assertRejected(
    npz({ ...all, W1: zeros(12, 6) }),
    /"W1" has shape \(12, 6\); expected \(6, 12\) or \(72,\), so transpose it/,
  );
  assertRejected(npz({ ...all, W2: zeros(4, 9) }), /"W2" has shape \(4, 9\); expected \(6, 6\) or \(36,\)/);
  assertRejected(npz({ ...all, b3: zeros(5) }), /"b3" has shape \(5,\); expected \(4,\)/);
});

test('rejects files of other kinds', () => {
  const expected =
    /expected an \.npy file with the packed gradient, or an \.npz file with an array for each block/;
  for (const [bytes, kind] of [
    [Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'), 'it is a PNG image'],
    [Buffer.from('W1, b1'), 'it is text'],
    [new Uint8Array(0), 'it is an empty file'],
    [Uint8Array.of(1, 2, 3, 4), 'its kind is unknown'],
  ] as const) {
    assertRejected(bytes, new RegExp(`${kind}; ${expected.source}`));
  }
  assertRejected(npz(all).subarray(0, 900), /the archive has no directory; it may be truncated/);
  assertRejected(npyBytes(Float64Array.from(right), [148]).subarray(0, 900), /"gradient": shape .*/);
  assertRejected(
    zipSync({ 'readme.txt': Buffer.from('no array') }),
    /the entry "readme.txt" of the archive is not an \.npy array/,
  );
});
