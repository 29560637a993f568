import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { copyRounded } from '../../../src/formats/models/copy-rounded.ts';
import { quote, rejectModelFile, showShape } from '../../../src/formats/models/file-error.ts';
import { rejectForeignArchive, rejectForeignFile } from '../../../src/formats/models/foreign-files.ts';
import { requireInputShape, resolveInputShape } from '../../../src/formats/models/input-shape.ts';
import { checkStages } from '../../../src/formats/models/pack-convolutions.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const refusal = (run: () => unknown, message: RegExp, pointer = '#/file') =>
  assert.throws(run, isAtelierError('invalid-model-file', message, pointer));

test('an error names the file or the field', () => {
  refusal(() => rejectModelFile('it is odd'), /^The model file cannot be read: it is odd\.$/);
  refusal(() => rejectModelFile('it is odd', undefined, 'hidden'), /odd/, '#/hidden');
});

test('names and shapes are cut in messages', () => {
  assert.equal(quote('x'.repeat(60)), `"${'x'.repeat(60)}"`);
  assert.equal(quote(`${'x'.repeat(60)}y`), `"${'x'.repeat(60)}…"`);
  assert.equal(quote('a"\n'), '"a\\"\\n"');
  for (const [shape, shown] of [
    [[], '()'],
    [[10], '(10,)'],
    [['n', 784], '(n, 784)'],
    [[1, 2, 3, 4, 5, 6, 7, 8], '(1, 2, 3, 4, 5, 6, 7, 8)'],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9], '(1, 2, 3, 4, 5, 6, 7, 8, …)'],
  ] as const)
    assert.equal(showShape(shape), shown);
});

test('numbers are copied into float32, transposed and multiplied, and rounded ones are counted', () => {
  const tensor = (...data: readonly number[]) => ({
    name: 'W',
    shape: [data.length],
    data: Float64Array.from(data),
  });
  const copy = (data: readonly number[], ...rest: [(number | null)?, number?]) => {
    const out = new Float32Array(data.length);
    return [copyRounded(out, tensor(...data), ...rest), [...out]];
  };
  assert.deepEqual(copy([1, 0.5, -2]), [0, [1, 0.5, -2]]);
  assert.deepEqual(copy([0.1, 1, 0.3]), [2, [Math.fround(0.1), 1, Math.fround(0.3)]]);
  // Two rows of three columns become three rows of two.
  assert.deepEqual(copy([1, 2, 3, 4, 5, 6], 3), [0, [1, 4, 2, 5, 3, 6]]);
  assert.deepEqual(copy([1, 2], null, 0.5), [0, [0.5, 1]]);
  refusal(() => copy([1, 1e39]), /"W" has 1e\+39 at position 1, not finite in float32/);
  refusal(() => copy([1, 2, 3, Number.NaN], 2), /"W" has NaN at position 3/);
});

for (const [start, message] of [
  [
    '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.',
    /: it is a file of torch\.save, a pickle, and could run code/,
  ],
  ['\x80\x02}', /: it is a pickle, and could run code when it is loaded; from scikit-learn, save/],
  ['\x80\x05\x95', /: it is a pickle/],
  ['ccopy_reg\n', /: it is a pickle/],
  ['\x89HDF\r\n\x1a\n', /: it is an HDF5 file, as Keras writes; save the kernel and bias/],
  ['\x1f\x8b', /: it is compressed; decompress it, but if joblib wrote it, save/],
  ['BZh9', /: it is compressed/],
  ['\x78\x9c', /: it is compressed/],
  ['{"a"', /: it is JSON; export the model as safetensors, npz or ONNX instead\.$/],
] as const) {
  test(`recognizes the file that starts with ${JSON.stringify(start)}`, () => {
    refusal(() => rejectForeignFile(start), message);
  });
}

for (const [name, message] of [
  ['model/constants.pkl', /: it is a TorchScript archive; save it with safetensors\.torch/],
  ['code/a.py', /: it is a TorchScript archive/],
  ['archive/data.pkl', /: it is a file of torch\.save/],
  ['serialized_exported_program.json', /: it is a file of torch\.export\.save/],
  ['a/models/model.json', /: it is a file of torch\.export\.save/],
  ['model.weights.h5', /: it is a model of Keras/],
  ['cat/1.JPEG', /: it is an archive of images; upload images to train on/],
  ['saved_model.pb', /: it is a SavedModel of TensorFlow/],
] as const) {
  test(`recognizes the archive with ${name}`, () => {
    refusal(
      () => rejectForeignArchive(zipSync({ other: new Uint8Array(1), [name]: new Uint8Array(1) })),
      message,
    );
  });
}

test('other files and archives are not rejected', () => {
  rejectForeignFile('\x93NUMPY');
  rejectForeignFile('PK\x03\x04');
  rejectForeignArchive(zipSync({ 'coefs_0.npy': new Uint8Array(1), 'xdata.pkl.npy': new Uint8Array(1) }));
});

test('the shape of images is that of the request, or of a grey square', () => {
  assert.deepEqual(resolveInputShape([3, 8, 9], 1, 'it'), [8, 9, 3]);
  assert.deepEqual(resolveInputShape('auto', 784, 'it'), [28, 28]);
  refusal(
    () => resolveInputShape('auto', 67, 'it'),
    /: it, but no image of 8 to 64 pixels a side, grey or in colour, has 67 values/,
  );
  refusal(
    () => resolveInputShape('auto', 72, 'it'),
    /: it, but 72 values are not a square of 8 to 64 pixels/,
    '#/inputShape',
  );
  assert.deepEqual(requireInputShape([8, 9]), [8, 9]);
  refusal(() => requireInputShape('auto'), /does not hold the shape of its images/, '#/inputShape');
});

test('stages have one to three convolutions of limited channels', () => {
  const three = [[4, 4, 4], [4], [4]];
  checkStages(three, 'group', [8, 8]);
  checkStages([], 'none', [8, 8]);
  checkStages([[256], [1], [1], [1]], 'none', [16, 16]);
  for (const [stages, norm, shape, message] of [
    [[[4, 4, 4, 4]], 'none', [64, 64], /its stages, .* have 4 convolutions; 1 to 3 in at most/],
    [[[4], []], 'none', [64, 64], /have 1, 0 convolutions/],
    [[[0]], 'none', [64, 64], /a convolution has 0 channels; 1 to/],
    [
      [[6]],
      'group',
      [64, 64],
      /a convolution with group normalization has 6 channels, which is not a multiple of 4/,
    ],
    [[[4], [4], [4], [4]], 'none', [8, 8], /images of 8×8 are 0×0 after stage 4; at least 1×1 must remain/],
    [
      [[4], [4], [4], [4], [4]],
      'none',
      [64, 64],
      /have 1, 1, 1, 1, 1 convolutions; 1 to 3 in at most 4 stages/,
    ],
    [[[257]], 'none', [64, 64], /a convolution has 257 channels; 1 to 256 are allowed/],
  ] as const)
    refusal(() => checkStages(stages, norm, shape), message, '#/convolutions');
});
