import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSafetensors, safetensorsBytes } from '../../../src/formats/arrays/safetensors.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { tensor } from '../fixtures.ts';

function fileOf(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

const entry = (start: number, end: number, shape: number[] = [(end - start) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

function refusal(file: Uint8Array, message: RegExp): void {
  assert.throws(() => parseSafetensors(file), isAtelierError('invalid-model-file', message));
}

test('the data starts at a multiple of eight for any header length', () => {
  for (const note of ['', 'a', 'ab', 'é', 'abcdef', 'abcdefg']) {
    const tensors = [tensor('W1', 2, 3), tensor('b1', 2)];
    const file = safetensorsBytes(tensors, { note });
    assert.equal(new DataView(file.buffer).getUint32(0, true) % 8, 0);
    assert.deepEqual(parseSafetensors(file), { tensors, metadata: { note } });
  }
});

test('reads every float type exactly, also unaligned', () => {
  const data = Buffer.alloc(1 + 2 + 2 + 4 + 8);
  data.writeUInt16LE(0xbfc0, 1); // −1.5
  data.writeUInt16LE(0x3555, 3); // the float16 nearest to 1/3
  data.writeFloatLE(0.1, 5);
  data.writeDoubleLE(0.1, 9);
  const header = {
    bf16: entry(1, 3, [1], 'BF16'),
    f16: entry(3, 5, [1], 'F16'),
    f32: entry(5, 9, [1, 1]),
    f64: entry(9, 17, [], 'F64'),
  };
  const shifted = Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          data_offsets: [start, end],
          ...rest
        },
      ]) => [name, { ...rest, data_offsets: [start! - 1, end! - 1] }],
    ),
  );
  const { tensors } = parseSafetensors(fileOf(shifted, data.subarray(1)));
  const expected = [-1.5, 0.333251953125, Math.fround(0.1), 0.1];
  assert.deepEqual(
    tensors.map((each) => each.data[0]),
    expected,
  );
});

test('rejects other types by name', () => {
  refusal(fileOf({ W1: entry(0, 8, [1], 'I64') }, 8), /"W1" has dtype I64; use F16, BF16, F32 or F64/);
  refusal(fileOf({ W1: entry(0, 8, [1], 'C64') }, 8), /entry "W1" is invalid at "dtype"/);
});

test('requires every byte to belong to exactly one tensor', () => {
  refusal(fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12), /"b" overlaps another tensor/);
  refusal(fileOf({ a: entry(0, 8), b: entry(0, 8) }, 8), /"b" overlaps another tensor/);
  refusal(fileOf({ a: entry(4, 8) }, 8), /4 bytes before "a" do not belong to a tensor/);
  refusal(fileOf({ a: entry(0, 4), b: entry(8, 12) }, 12), /4 bytes before "b" do not belong to a tensor/);
  refusal(fileOf({ a: entry(0, 4) }, 9), /5 bytes at its end do not belong to a tensor/);
  refusal(fileOf({ a: entry(0, 8) }, 7), /its tensors take 8 bytes, but the file has 7/);
});

test('requires shapes and offsets to agree and be whole numbers', () => {
  refusal(
    fileOf({ a: entry(0, 8, [3]) }, 8),
    /"a" of F32 and shape \(3,\) takes 12 bytes, but its offsets are 0 to 8/,
  );
  refusal(fileOf({ a: entry(8, 0, [2]) }, 8), /takes 8 bytes, but its offsets are 8 to 0/);
  refusal(fileOf({ a: entry(0, 8, [-2, -1]) }, 8), /entry "a" is invalid at "shape\.0"/);
  refusal(fileOf({ a: entry(0, 8, [0.5, 4]) }, 8), /is invalid at "shape\.0"/);
  refusal(fileOf({ a: entry(0, 8, [2 ** 53, 2 ** 53]) }, 8), /is invalid at "shape\.0"/);
  refusal(fileOf({ a: { ...entry(0, 8), extra: 1 } }, 8), /entry "a" is invalid;/);
  refusal(fileOf({ a: null }), /entry "a" is invalid/);
  refusal(fileOf('{"__proto__": 1}'), /entry "__proto__" is invalid/);
});

test('requires the header to be a JSON object of limited size', () => {
  refusal(new Uint8Array(7), /7 bytes, too few for a header/);
  refusal(Buffer.from('ffffffffffffffff7b', 'hex'), /its header has 18446744073709551615 bytes/);
  refusal(fileOf('{}').subarray(0, 9), /it ends within the header/);
  refusal(fileOf('{'), /its header is not JSON/);
  refusal(fileOf('[]'), /its header is not a JSON object/);
  refusal(Buffer.concat([fileOf('{"').subarray(0, 8), Buffer.from([0x7b, 0xff])]), /its header is not JSON/);
  const many = Array.from({ length: 140 }, (_, i) => [`${i}`, entry(4 * i, 4 * i + 4)]);
  refusal(fileOf(Object.fromEntries(many), 560), /lists 140 entries; the limit is 128 tensors/);
  refusal(new Uint8Array(8), /its header is not JSON/);
  refusal(fileOf({ __metadata__: { a: 1 } }), /__metadata__ of its header must map names to strings/);
});

test('a header may have 1 MiB, 128 tensors besides its metadata, and 8 dimensions', () => {
  const longest = '{}'.padEnd(2 ** 20);
  assert.deepEqual(parseSafetensors(fileOf(longest)), { tensors: [], metadata: {} });
  refusal(fileOf(`${longest} `), /its header has 1048577 bytes; the limit is 1048576/);
  const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`${i}`, entry(4 * i, 4 * i + 4)]));
  const { 128: last, ...most } = many;
  assert.equal(parseSafetensors(fileOf({ ...most, __metadata__: {} }, 512)).tensors.length, 128);
  refusal(
    fileOf({ ...most, 128: last, __metadata__: {} }, 516),
    /its header lists 130 entries; the limit is 128 tensors/,
  );
  const ones = new Array<number>(8).fill(1);
  assert.equal(parseSafetensors(fileOf({ a: entry(0, 4, ones) }, 4)).tensors[0]!.data.length, 1);
  refusal(fileOf({ a: entry(0, 4, [...ones, 1]) }, 4), /entry "a" is invalid at "shape"/);
});

test('reads tensors in any order, and empty ones', () => {
  const data = Buffer.from(Float32Array.of(1, 2).buffer);
  const { tensors } = parseSafetensors(fileOf({ b: entry(4, 8), none: entry(4, 4), a: entry(0, 4) }, data));
  assert.deepEqual(
    tensors.map((each) => [each.name, ...each.data]),
    [['b', 2], ['none'], ['a', 1]],
  );
});

test('the header is padded with the fewest spaces', () => {
  for (let length = 0; length < 9; length++) {
    const metadata = { note: 'a'.repeat(length) };
    const json = JSON.stringify({
      __metadata__: metadata,
      W1: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      b1: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
    });
    const file = safetensorsBytes([tensor('W1', 2), tensor('b1', 1)], metadata);
    const padded = json.length + ((8 - (json.length % 8)) % 8);
    assert.equal(new DataView(file.buffer).getBigUint64(0, true), BigInt(padded));
    assert.equal(Buffer.from(file).toString('latin1', 8, 8 + padded), json.padEnd(padded));
    assert.equal(file.length, 8 + padded + 12);
  }
});
