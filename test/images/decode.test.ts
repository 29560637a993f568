import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../src/errors.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import {
  bufferViews,
  decodeImages,
  inFileError,
  listCorrections,
  type ReceivedImages,
} from '../../src/images/decode.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

const SHAPE = [1, 2] as const;
const raw = (...values: number[]) => ({ kind: 'bytes', bytes: Uint8Array.from(values) }) as const;
const npy = (...values: number[]) =>
  ({ kind: 'npy', bytes: npyBytes(Uint8Array.from(values), [values.length / 2, 2]) }) as const;
const CORRECTIONS = [{ kind: 'inverted' }] as never;
const batch = { kind: 'batch', count: 1, pixels: Uint8Array.of(8, 9), corrected: CORRECTIONS } as const;
const form = (names: readonly string[] | null, ...parts: ReceivedImages[]): ReceivedImages => ({
  ...{ kind: 'many', parts, names },
});

test('the images of a form stay in the order of its files, each with the name of its file', () => {
  const parts = [npy(1, 2), raw(3, 4, 5, 6), npy(7, 7), batch];
  const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 7, 8, 9);
  assert.deepEqual(decodeImages(form(['a', 'b', 'c', 'd'], ...parts), SHAPE), {
    ...{ count: 5, pixels, files: ['a', 'b', 'b', 'c', 'd'] },
  });
  assert.deepEqual(decodeImages(form(null, ...parts), SHAPE), { count: 5, pixels });
});

test('an error names the first file that cannot be decoded', () => {
  assert.throws(
    () => decodeImages(form(['a', 'b', 'c'], raw(1, 2), raw(1, 2, 3), raw(1)), SHAPE),
    isAtelierError('invalid-image-size', /^File b: 3 bytes are not a whole number of images/),
  );
  assert.throws(
    () => decodeImages(form(null, raw(1)), SHAPE),
    isAtelierError('invalid-image-size', /^1 bytes are not a whole number/),
  );
});

test('only errors about the content of a named file get its name', () => {
  const details = [{ pointer: '#/x', detail: 'd' }];
  const error = new AtelierError('invalid-pixels', 'Wrong.', { details });
  const named = inFileError('a.png', error);
  assert.ok(named instanceof AtelierError && named.cause === error);
  assert.deepEqual(
    [named.code, named.message, named.details],
    ['invalid-pixels', 'File a.png: Wrong.', details],
  );
  assert.equal(inFileError(undefined, error), error);
  const other = new TypeError('Broken.');
  assert.equal(inFileError('a.png', other), other);
});

test('corrections and buffers of a form are those of its parts', () => {
  const { bytes } = raw(1, 2);
  const whole = form(null, batch, { kind: 'bytes', bytes });
  assert.deepEqual(listCorrections(whole), [CORRECTIONS]);
  assert.deepEqual(listCorrections({ ...batch, corrected: undefined } as never), []);
  assert.deepEqual(bufferViews(whole), [batch.pixels, bytes]);
});
