import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openImageArray } from '../../../../src/datasets/upload/arrays/large-images.ts';
import { checkImageFile } from '../../../../src/datasets/upload/arrays/prediction-file.ts';
import { AtelierError, type ErrorCode } from '../../../../src/errors.ts';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import { npzBytes } from '../../../../src/formats/arrays/npz.ts';
import { decodeNpy } from '../../../../src/images/npy.ts';
import { npyFixture } from '../../fixtures.ts';

const directory = await mkdtemp(join(tmpdir(), 'atelier-images-'));
after(() => rm(directory, { recursive: true }));
let files = 0;

async function check(bytes: Uint8Array, pixels?: '0-1' | '0-255') {
  const path = join(directory, `${++files}`);
  await writeFile(path, bytes);
  const target = `${path}.npy`;
  const checked = await checkImageFile({ path, bytes: bytes.length, pixels }, [28, 28], 1e7, target);
  return { ...checked, path: checked.isUnpacked ? target : path };
}

async function decode({ path, images, pixels }: Awaited<ReturnType<typeof check>>, start = 0) {
  await using array = await openImageArray(path, [28, 28]);
  return await array.decode(start, images, pixels);
}

/** Code and words of the message that are expected. */
async function assertRejected(
  bytes: Uint8Array,
  code: ErrorCode,
  words: RegExp,
  pixels?: '0-1',
): Promise<void> {
  await assert.rejects(check(bytes, pixels), (error) => {
    assert.ok(error instanceof AtelierError && error.code === code, String(error));
    assert.match(error.message, words);
    return true;
  });
}

for (const form of ['u1', 'u1-fortran', 'i8', 'f4-255', 'f2-divided', 'f4', 'f8-widened']) {
  test(`images written by NumPy as ${form} are the same as in a request`, async () => {
    const bytes = await npyFixture(`pictures-${form}`);
    assert.deepEqual(await decode(await check(bytes)), decodeNpy(bytes, [28, 28]));
  });
}

test('reads any part of an array of more than one chunk, in both orders', async () => {
  const count = 1100;
  const pixels = Uint16Array.from({ length: count * 784 }, (_, n) => (n * 7919) % 256);
  const rows = Float64Array.from(pixels);
  const columns = new Float64Array(rows.length);
  for (let n = 0; n < rows.length; n++) columns[(n % 784) * count + Math.floor(n / 784)] = rows[n]!;
  const inFortranOrder = (bytes: Uint8Array) => {
    const file = Buffer.from(bytes);
    file.write(`'fortran_order':True, `, file.indexOf(`'fortran_order':False,`), 'latin1');
    return file;
  };
  const fortran = inFortranOrder(npyBytes(columns, [count, 784]));
  const square = Float64Array.from({ length: rows.length }, (_, n) => {
    const [place, image] = [Math.floor(n / count), n % count];
    return rows[image * 784 + 28 * (place % 28) + Math.floor(place / 28)]!;
  });
  const fortranSquare = inFortranOrder(npyBytes(square, [count, 28, 28, 1]));
  for (const file of [npyBytes(rows, [count, 28, 28, 1]), fortran, fortranSquare]) {
    const checked = await check(file);
    assert.deepEqual([checked.images, checked.pixels], [count, '0-255']);
    const { pixels: last } = await decode(checked, 1099);
    assert.deepEqual([...last], [...pixels.subarray(1099 * 784)]);
  }
});

test('an npz has one array, or one with the name images', async () => {
  const tensor = (name: string, value: number) => ({
    name,
    shape: [1, 784],
    data: new Float32Array(784).fill(value),
  });
  assert.deepEqual(
    [...(await decode(await check(npzBytes([tensor('x', 1)])))).pixels],
    new Array(784).fill(255),
  );
  const several = await check(npzBytes([tensor('a', 0), tensor('images', 1)]));
  assert.deepEqual([several.isUnpacked, several.pixels], [true, '0-1']);
  await assertRejected(
    npzBytes([tensor('a', 0), tensor('b', 0)]),
    'malformed-body',
    /one array, .* but has: a, b\./,
  );
  await assertRejected(npzBytes([]), 'malformed-body', /one array, .* but has no arrays\./);
});

test('rejects the same files as a request, with the same codes', async () => {
  const array = (...numbers: number[]) =>
    npyBytes(
      Float32Array.from({ length: 784 }, (_, n) => numbers[n] ?? 0),
      [784],
    );
  await assertRejected(
    array(1.005),
    'ambiguous-pixel-range',
    /largest number is 1\.00.*set the field pixels to 0-255/,
  );
  await assertRejected(array(0, 300), 'invalid-pixels', /\[1\] is 300.*set the field pixels to choose/);
  await assertRejected(array(Number.NaN), 'invalid-pixels', /NaN/);
  await assertRejected(array(2), 'invalid-pixels', /from 0 to 1/, '0-1');
  const late = new Uint16Array(1100 * 784);
  late[1099 * 784 + 29] = 256;
  const wide = Buffer.from(npyBytes(Float32Array.from(late), [1100, 28, 28]));
  await assertRejected(wide, 'invalid-pixels', /\[1099, 1, 1\] is 256/);
  await assertRejected(npyBytes(new Uint8Array(9), [3, 3]), 'invalid-image-size', /shape \(3, 3\)/);
  await assertRejected(array(1).subarray(0, 500), 'malformed-body', /takes 3136 bytes/);
  await assertRejected(new Uint8Array(0), 'malformed-body', /it is empty/);
  await assertRejected(Buffer.from('%PDF-1.7'), 'malformed-body', /a PDF document; send an npy array/);
});

test('a file that is no array is named by its kind', async () => {
  for (const [bytes, words] of [
    [Buffer.alloc(0), /cannot be read: it is empty; send an npy array of images, or an npz with one\.$/],
    [Buffer.from('\x01\x02\x03', 'latin1'), /it is of an unknown format; send/],
    [Buffer.from('GIF89a'), /it is a GIF image; send/],
    [Buffer.from('PK is no archive'), /cannot be read: the archive has no directory; it may be truncated\.$/],
  ] as const)
    await assertRejected(bytes, 'malformed-body', words);
});
