import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { unpackNpz } from '../../../src/formats/arrays/npz.ts';
import { streamNpz } from '../../../src/formats/arrays/npz-stream.ts';

/** In shared memory, and longer than what is written at a time. */
const shared = new Uint8Array(new SharedArrayBuffer(600_000)).map((_, i) => i % 251);
const ARRAYS = [
  { name: 'x', shape: [750, 20, 40], data: shared },
  { name: 'y', shape: [3], data: Uint8Array.of(1, 2, 3) },
  { name: 'none', shape: [0, 28, 28], data: new Uint8Array(0) },
];

test('streams arrays with the size that was announced, the same bytes each time', async () => {
  const { size, read } = streamNpz(ARRAYS);
  const whole = await buffer(read({ start: 0, end: size - 1 }));
  assert.equal(whole.length, size);
  assert.deepEqual(await buffer(streamNpz(ARRAYS).read({ start: 0, end: size - 1 })), whole);
  assert.deepEqual(
    Array.from(unpackNpz(whole), ([name, bytes]) => {
      const { shape, dtype, data } = parseNpy(bytes);
      return { name, shape, dtype, data: [...data] };
    }),
    ARRAYS.map(({ name, shape, data }) => ({ name, shape, dtype: 'u1', data: [...data] })),
  );
});

test('a range has the bytes of the whole archive', async () => {
  const { size, read } = streamNpz(ARRAYS);
  const whole = await buffer(read({ start: 0, end: size - 1 }));
  for (const [start, end] of [
    [0, 0],
    [29, 31],
    [262_143, 262_400],
    [599_000, size - 1],
    [size - 1, size - 1],
  ] as const)
    assert.deepEqual(await buffer(read({ start, end })), whole.subarray(start, end + 1), `${start}-${end}`);
});
