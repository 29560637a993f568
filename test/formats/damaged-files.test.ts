/** Damaged model files: each is read or rejected with an AtelierError. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { exportModel } from '../../src/formats/models/export.ts';
import { importModel } from '../../src/formats/models/import.ts';
import { onlyAtelierErrors } from '../datasets/fixtures.ts';
import { dense } from '../support/dense.ts';
import { formatFixture, modelOf, npyEntry, tensor } from './fixtures.ts';
import { asZip64 } from './zip64-archive.ts';

const model = modelOf(dense([784, 2, 3]));
const convolutional = modelOf({
  inputShape: [8, 8],
  convolutions: [[4], [4]],
  norm: 'group',
  hidden: [],
  classes: 2,
});
const deflated = zipSync({
  ...npyEntry('W1', tensor('W1', 2, 784).data, [2, 784]),
  ...npyEntry('b1', tensor('b1', 2).data, [2]),
});
const layouts = { headerBytes: 900, tailBytes: 400 };

/**
 * Changes hit the structure at the start and the end of a file, because a changed weight is still valid. Every
 * fourth file is also truncated.
 */
const damage = fc.record({
  changes: fc.array(
    fc.tuple(fc.nat({ max: layouts.headerBytes + layouts.tailBytes - 1 }), fc.nat({ max: 255 })),
    { minLength: 1, maxLength: 6 },
  ),
  cut: fc.nat(),
});

function damaged(
  original: Uint8Array,
  { changes, cut }: { changes: [number, number][]; cut: number },
): Uint8Array {
  const bytes = Uint8Array.from(original);
  for (const [place, value] of changes) {
    bytes.set(
      [value],
      place < layouts.headerBytes
        ? place % bytes.length
        : Math.max(0, bytes.length - 1 - (place - layouts.headerBytes)),
    );
  }
  return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
}

for (const [name, original, read] of [
  ['npy', exportModel(model, 'npy'), importModel],
  ['npz', exportModel(model, 'npz'), importModel],
  ['deflated npz', deflated, importModel],
  ['Zip64 npz', asZip64(deflated), importModel],
  ['safetensors', exportModel(model, 'safetensors'), importModel],
  ['scikit-learn npz', formatFixture('sklearn-identity.npz'), importModel],
  ['PyTorch safetensors', formatFixture('torch-bf16.safetensors'), importModel],
  ['skl2onnx', formatFixture('skl2onnx-binary.onnx'), importModel],
  ['PyTorch ONNX', formatFixture('torch-view-unfolded.onnx'), importModel],
  ['ONNX', exportModel(model, 'onnx', 'uint8'), importModel],
  ['safetensors with convolutions', exportModel(convolutional, 'safetensors'), importModel],
  ['ONNX with convolutions', exportModel(convolutional, 'onnx'), importModel],
  ['PyTorch ONNX with batch normalization', formatFixture('convolutions/torch-batch-norm.onnx'), importModel],
] as const) {
  test(`a damaged ${name} file is read or rejected by name`, () => {
    assert.ok(onlyAtelierErrors(() => read(original, { hidden: name === 'npy' ? [2] : undefined })));
    let refusals = 0;
    fc.assert(
      fc.property(damage, (how) => {
        const found = onlyAtelierErrors(() =>
          read(damaged(original, how), { hidden: name === 'npy' ? [2] : undefined }),
        );
        if (found === undefined) refusals++;
        else if ('parameters' in found) assert.ok(found.parameters.every(Number.isFinite));
      }),
      { numRuns: 600 },
    );
    assert.ok(refusals > 100, `only ${refusals} were refused`);
  });
}

test('rejects random bytes after the signature of each format', () => {
  const starts = ['\x93NUMPY\x01\x00', 'PK\x03\x04', '\x40\0\0\0\0\0\0\0{', '\x08\x08:\x7f'].map((start) =>
    Buffer.from(start, 'latin1'),
  );
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 200 }), (start, rest) => {
      assert.equal(
        onlyAtelierErrors(() => importModel(Buffer.concat([start, rest]), { hidden: [] })),
        undefined,
      );
    }),
    { numRuns: 600 },
  );
});
