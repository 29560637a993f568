import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kserveV2Codec } from '../../../src/protocols/kserve-v2/codec.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { MODEL } from '../fixtures.ts';

type PixelArray = BigInt64Array | Float16Array | Float32Array;

function decode(input: object, values?: PixelArray, parameters = {}) {
  const tensor = values ? new Uint8Array(values.buffer) : new Uint8Array(0);
  const binary = values && { parameters: { binary_data_size: tensor.length } };
  const inputs = [{ name: 'image', shape: [1, 2, 2], ...binary, ...input }];
  const json = Buffer.from(JSON.stringify({ inputs, parameters }));
  const jsonBytes = values ? json.length : null;
  return kserveV2Codec.decode({ bytes: Buffer.concat([json, tensor]), jsonBytes, asImage: false }, MODEL);
}
const pixels = (input: object, values?: PixelArray) => {
  const decoded = decode(input, values);
  return 'batch' in decoded && Array.from(decoded.batch.pixels);
};

test('pixels are 0 to 1 in floating-point types, and 0 to 255 in integer types', () => {
  assert.deepEqual(pixels({ datatype: 'FP32', data: [0, 0.2, 0.6, 1] }), [0, 51, 153, 255]);
  assert.deepEqual(pixels({ datatype: 'UINT8', data: [0, 1, 2, 255] }), [0, 1, 2, 255]);
  assert.deepEqual(pixels({ datatype: 'INT64' }, BigInt64Array.of(0n, 1n, 2n, 255n)), [0, 1, 2, 255]);
  assert.deepEqual(pixels({ datatype: 'UINT8', shape: [2, 2], data: [0, 1, 2, 255] }), [0, 1, 2, 255]);
});

test('FP16 is rounded to whole pixels within its own precision only', () => {
  const half = Float16Array.of(0, 7 / 255, 200 / 255, 1);
  assert.deepEqual(pixels({ datatype: 'FP16' }, half), [0, 7, 200, 255]);
  const single = Float32Array.from(half);
  assert.notDeepEqual(pixels({ datatype: 'FP32' }, single), [0, 7, 200, 255]);
});

test('advises to divide pixels that are too large for a floating-point type', () => {
  const advice = / Send pixels of 0 to 255 as UINT8, or divide them by 255\.$/;
  assert.throws(
    () => decode({ datatype: 'FP32', data: [0, 2, 0, 0] }),
    isAtelierError('invalid-pixels', advice),
  );
  assert.throws(
    () => decode({ datatype: 'INT32', data: [0, 256, 0, 0] }),
    isAtelierError('invalid-pixels', /^Input image, INT32, is 256 at \[0, 0, 1\]; .* from 0 to 255\.$/),
  );
});

test('a coverage is a guarantee of plain probabilities', () => {
  const input = { datatype: 'UINT8', data: [0, 1, 2, 255] };
  assert.deepEqual(decode(input, undefined, { coverage: 0.9 }).guarantee, {
    coverage: 0.9,
    calibrated: false,
  });
  assert.equal(decode(input).guarantee, null);
});

test('a response names the version, and never holds NaN', () => {
  const { responseFormat } = decode({ datatype: 'UINT8', data: [0, 1, 2, 255] });
  const logits = new Float32Array(2);
  const encode = (...probabilities: number[]) =>
    kserveV2Codec.encode({ probabilities: Float32Array.from(probabilities), logits }, responseFormat, MODEL);
  assert.deepEqual(JSON.parse(encode(0.25, 0.75).body as string), {
    model_name: 'm',
    model_version: '3',
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: [0.25, 0.75] },
      { name: 'label', datatype: 'INT64', shape: [1], data: [1] },
    ],
  });
  assert.throws(() => encode(Number.NaN, 0), isAtelierError('impossible-request', /m version 3/));
});
