import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCopyRows } from '../../../src/numerics/simd/copy-rows.ts';
import { HEADER } from '../../../src/numerics/simd/header.ts';

const [RECORDS, PARTNERS] = [32_768, 49_152];

/** The first pixels of four records and of four partners after the second and the third record have been copied. */
function copy(inputs: number, offset: number, partnerRows: number): number[][] {
  const memory = new WebAssembly.Memory({ shared: true, initial: 1, maximum: 1 });
  const stride = Math.ceil(inputs / 8) * 8;
  // Each pixel of image n is n + 1.
  const all = Uint8Array.from(
    { length: offset + 5 * inputs },
    (_, i) => Math.floor((i - offset) / inputs) + 1,
  );
  new Uint32Array(memory.buffer, HEADER.addresses.INDICES, 4).set([0, 3, 1, 4]);
  new Uint32Array(memory.buffer, HEADER.addresses.PARTNERS, 4).set([1, 2, 3, 0]);
  const rows = { inputs, records: RECORDS, recordStride: stride, partnerRows, partnerStride: 2 * stride };
  createCopyRows(memory, rows, all.subarray(offset))(1, 3);
  const valuesAt = (start: number, step: number) =>
    [0, 1, 2, 3].map((n) => {
      const values = new Set(new Uint8Array(memory.buffer, start + n * step, inputs));
      assert.equal(values.size, 1, 'all pixels of one image');
      return [...values][0]!;
    });
  return [valuesAt(RECORDS, stride), valuesAt(PARTNERS, 2 * stride)];
}

// Words of eight bytes, seven at a time; rows and images that are not whole words are copied by the byte.
for (const [name, inputs, offset] of [
  ['fourteen words', 112, 0],
  ['nine words', 72, 8],
  ['bytes', 13, 0],
  ['bytes, because the first image is not aligned', 16, 3],
] as const) {
  test(`only the given records receive their images and those of their partners: ${name}`, () => {
    assert.deepEqual(copy(inputs, offset, PARTNERS), [
      [0, 4, 2, 0],
      [0, 2, 5, 0],
    ]);
    assert.deepEqual(copy(inputs, offset, 0)[1], [0, 0, 0, 0], 'without mixup');
  });
}
