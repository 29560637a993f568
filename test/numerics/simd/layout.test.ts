import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture } from '../../../src/numerics/network/architecture.ts';
import { HEADER } from '../../../src/numerics/simd/header.ts';
import { imageCopy, type LayoutOptions, layOut, PAGE_BYTES } from '../../../src/numerics/simd/layout.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';

const NETWORK = dense([784, 40, 10]);
const CONVOLUTIONAL: Architecture = {
  inputShape: [8, 8],
  convolutions: [[4]],
  norm: 'none',
  hidden: [5],
  classes: 3,
};
const ADAM = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const PLAIN: LayoutOptions = { ...PLAIN_SETTINGS, targetRows: 0 };

const trained = (changes: Partial<LayoutOptions> = {}, { records = 64, threads = 2 } = {}) =>
  layOut({ architecture: NETWORK, records, threads, training: { ...PLAIN, ...changes } });

/** Addresses of areas of these sizes, each behind the one before. */
function addresses(start: number, sizes: Readonly<Record<string, number>>): Record<string, number> {
  let at = start;
  const found: Record<string, number> = {};
  for (const [name, size] of Object.entries(sizes)) {
    assert.equal(size % 64, 0, name);
    found[name] = at;
    at += size;
  }
  return found;
}

test('the copy of an image has a row of zeros above and below, and zeros for the largest shift beside it', () => {
  // At least 16 bytes on each side of rows of whole vectors.
  assert.deepEqual(imageCopy([28, 28], 0), { left: 16, stride: 64, bytes: 30 * 64 + 16 });
  assert.deepEqual(imageCopy([28, 28], 16), { left: 16, stride: 64, bytes: 30 * 64 + 16 });
  assert.deepEqual(imageCopy([28, 28], 17), { left: 32, stride: 96, bytes: 30 * 96 + 16 });
  // 15 bytes of a shift by 5 in colour; 17 · 3 bytes of a row.
  assert.deepEqual(imageCopy([9, 17, 3], 5), { left: 16, stride: 96, bytes: 11 * 96 + 16 });
  assert.deepEqual(imageCopy([9, 17, 3], 6), { left: 32, stride: 128, bytes: 11 * 128 + 16 });
});

test('a record has room for the pixels, lists, values and gradients of an image', () => {
  const { layers, recordStride, pixels } = trained();
  const at = addresses(0, {
    // 784 pixels and 32 more; 640 bytes of starts and 800 positions.
    inputValues: 832,
    inputList: 2240,
    // 40 units are ten vectors.
    backwardSums: 192,
    firstValues: 192,
    firstGradient: 192,
    // 640 bytes of starts and 56 positions.
    secondList: 768,
    secondValues: 64,
    secondGradient: 64,
    // 640 bytes of starts and 26 positions.
    secondGradientList: 704,
    end: 0,
  });
  assert.equal(pixels, 784);
  const [first, second] = layers;
  assert.equal(layers.length, 2);
  assert.deepEqual(
    [first!.inputValues, first!.inputList, first!.backwardSums],
    [at['inputValues'], at['inputList'], at['backwardSums']],
  );
  assert.deepEqual(
    [first!.outputValues, first!.outputGradient, first!.gradientList, first!.inputGradient],
    [at['firstValues'], at['firstGradient'], 0, 0],
  );
  assert.deepEqual(
    [second!.inputValues, second!.inputList, second!.inputGradient, second!.backwardSums],
    [at['firstValues'], at['secondList'], at['firstGradient'], at['backwardSums']],
  );
  assert.deepEqual(
    [second!.outputValues, second!.outputGradient, second!.gradientList],
    [at['secondValues'], at['secondGradient'], at['secondGradientList']],
  );
  // 82 lines, made odd.
  assert.equal(at['end'], 82 * 64);
  assert.equal(recordStride, 83 * 64);
});

test('the weights, their gradient and the transposed weights follow the header', () => {
  const { layers, weightsBytes, gradientDelta, groupBytes, groupDelta, groupExamples, firstDense } =
    trained();
  // 785 rows of 160 bytes, in whole lines; 41 rows of 64 bytes.
  const weights = 125_632 + 2624;
  assert.deepEqual([layers[0]!.weights, layers[0]!.transposed], [HEADER.bytes, 0]);
  assert.equal(layers[1]!.weights, HEADER.bytes + 125_632);
  assert.deepEqual([weightsBytes, gradientDelta], [weights, weights]);
  assert.equal(layers[1]!.transposed, HEADER.bytes + 2 * weights);
  // 10 columns of 40 float32.
  assert.deepEqual([groupBytes, groupDelta, groupExamples], [0, 2 * weights + 1600, 4]);
  assert.equal(firstDense, 1);
  assert.deepEqual(
    layers.map(({ inputs, outputs, units, rows }) => [inputs, outputs, units, rows]),
    [
      [784, 40, 40, null],
      [40, 10, 10, null],
    ],
  );
});

test('the tables, the scratch memory of each thread and the records follow the weights', () => {
  const { layers: _, convolutions: __, momentDeltas: ___, ...layout } = trained();
  // A thread: lists of 34 rows of 384 bytes, a mask, and a tile of 32 rows of 72 float32 and 32 more; the tile of pixels.
  const pixelTileOffset = 34 * 384 + 256 + 32 * 72 * 4 + 32 * 4 + 64;
  const scratchStride = pixelTileOffset + 4 * 192 * 64 + 64;
  const expected = addresses(HEADER.bytes + 2 * 128_256 + 1600, {
    kept: 64 * 64,
    volumes: 2 * 64,
    pack16: 4096,
    pack32: 8192,
    pixelValues: 4 * 1024,
    // 65 numbers
    batchList: 320,
    labels: 128,
    losses: 256,
    correct: 64,
    // 25 blocks of 784 rows and a bias, and 2 of 40 and a bias, of 8 bytes.
    partials: 256,
    classWeights: 64,
    targets: 0,
    warpTable: 8 * 1024,
    noiseTable: 2 * 1024,
    eraseShapes: 2 * 1024,
    scratch: 2 * scratchStride,
    records: 65 * 83 * 64,
    end: 0,
  });
  const { end, ...areas } = expected;
  const found: Record<string, unknown> = layout;
  for (const [name, address] of Object.entries(areas)) assert.equal(found[name], address, name);
  assert.deepEqual([layout.pixelTileOffset, layout.scratchStride], [pixelTileOffset, scratchStride]);
  assert.deepEqual([layout.keptStride, layout.volumesStride, layout.maskBytes], [64, 64, 256]);
  assert.deepEqual([layout.partnerRows, layout.partnerStride], [0, 832]);
  assert.equal(PAGE_BYTES, 65_536);
  assert.equal(layout.pages, Math.ceil(end! / 65_536));
});

test('each moment and the average have a copy of the weights behind the gradient', () => {
  const weights = 128_256;
  const plain = trained();
  assert.deepEqual([plain.momentDeltas, plain.averageDelta], [[], 0]);
  const averaged = trained({ ema: { decay: 0.9 } });
  assert.deepEqual([averaged.momentDeltas, averaged.averageDelta], [[], 2 * weights]);
  const both = trained({ optimizer: ADAM, ema: { decay: 0.9 } });
  assert.deepEqual([both.momentDeltas, both.averageDelta], [[2 * weights, 3 * weights], 4 * weights]);
  assert.equal(both.kept - plain.kept, 3 * weights);
  const adam = trained({ optimizer: ADAM });
  assert.deepEqual([adam.averageDelta, adam.kept - plain.kept], [0, 2 * weights]);
});

test('mixup adds a row of pixels for each image, and distillation a row of targets for each example', () => {
  const mixed = trained({ mixup: { alpha: 1 } });
  assert.equal(mixed.partnerRows, mixed.eraseShapes + 2048);
  assert.equal(mixed.scratch, mixed.partnerRows + 64 * 832);
  const taught = trained({ targetRows: 7 });
  // 10 classes are four vectors.
  assert.equal(taught.warpTable - taught.targets, 7 * 64);
});

test('the scratch memory has room for the copy of a wide image that is shifted far', () => {
  const architecture = dense([64 * 64 * 3, 3], [64, 64, 3]);
  const augmentation = { ...PLAIN_SETTINGS.augmentation, shift: 64 };
  const training = { ...PLAIN, augmentation };
  const { pixelTileOffset, scratchStride } = layOut({ architecture, records: 1, threads: 1, training });
  // One pair of vectors of folded biases, then 66 rows of 3 · 192 bytes and 16 bytes, in whole lines.
  const copy = 32 + 66 * 576 + 16;
  assert.equal(pixelTileOffset, Math.ceil(copy / 64) * 64 + 64);
  assert.equal(scratchStride, pixelTileOffset + 4 * 192 + 64);
});

test('a tile of pixels has at most 128 examples', () => {
  const { scratchStride, pixelTileOffset } = trained({}, { records: 200, threads: 1 });
  assert.equal(scratchStride - pixelTileOffset, 4 * 192 * 128 + 64);
});

test('a forward pass has float32 pixels and no gradients, moments or tables', () => {
  const layout = layOut({ architecture: NETWORK, records: 128, threads: 1, training: null });
  const [first, second] = layout.layers;
  // 784 float32 and 64 bytes; the list; the sums; the values of both layers, with the list of the second one between.
  assert.deepEqual([first!.inputValues, first!.inputList, first!.backwardSums], [0, 3200, 5440]);
  assert.deepEqual([first!.outputValues, second!.inputList, second!.outputValues], [5632, 5824, 6592]);
  assert.deepEqual([first!.outputGradient, second!.outputGradient], [5440, 5440]);
  assert.deepEqual([second!.transposed, second!.gradientList], [0, 0]);
  // 104 lines, made odd.
  assert.equal(layout.recordStride, 105 * 64);
  assert.equal(layout.kept, HEADER.bytes + 128_256);
  assert.deepEqual([layout.keptStride, layout.volumes - layout.kept], [0, 64]);
  assert.deepEqual([layout.momentDeltas, layout.averageDelta, layout.partnerRows], [[], 0, 0]);
  assert.deepEqual([layout.targets, layout.warpTable], [layout.scratch, layout.scratch]);
  assert.equal(layout.groupDelta, 0);
  // Ten vectors of folded biases and the sums of a panel of 24, in whole lines.
  assert.equal(layout.pixelTileOffset, 576 + 64);
});

test('the first fully connected layer above a convolution reads padded channels', () => {
  const layout = layOut({ architecture: CONVOLUTIONAL, records: 64, threads: 2, training: PLAIN });
  const [kernel, first, second] = layout.layers;
  assert.equal(layout.layers.length, 3);
  assert.equal(layout.firstDense, 2);
  // 4 × 4 positions of 16 channels, of which 4 are used.
  assert.deepEqual([first!.inputs, first!.outputs], [256, 5]);
  assert.equal(first!.rows!.length, 64);
  assert.deepEqual([first!.rows![1], first!.rows![16]], [16, 1]);
  assert.equal(second!.rows, null);
  // Pixels with 32 more; the sums of 256 values; the values and their gradient.
  assert.deepEqual([first!.backwardSums, first!.inputValues, first!.inputGradient], [128, 1152, 2176]);
  assert.deepEqual([first!.inputList, second!.inputList, second!.gradientList], [0, 0, 0]);
  assert.deepEqual([first!.outputValues, first!.outputGradient], [3200, 3264]);
  assert.deepEqual([second!.inputValues, second!.inputGradient], [3200, 3264]);
  // The kernel's 10 rows of 16; 257 rows of two vectors; 6 rows of two vectors.
  const weights = 640 + 8256 + 192;
  assert.deepEqual([kernel!.weights, first!.weights], [HEADER.bytes, HEADER.bytes + 640]);
  assert.equal(layout.weightsBytes, weights);
  // Transposed, 256 · 5 and 5, in pairs of vectors, · 3 float32.
  assert.equal(layout.groupBytes, 640);
  assert.equal(kernel!.transposed, 0);
  assert.equal(first!.transposed, HEADER.bytes + 2 * weights);
  assert.equal(second!.transposed, first!.transposed + 5 * 256 * 4);
  assert.equal(layout.groupDelta, 2 * weights + 5 * 256 * 4 + 128);
  // Sixteen groups of four examples.
  assert.equal(layout.groupExamples, 4);
  assert.equal(layout.kept, HEADER.bytes + layout.groupDelta + 16 * 640);
  // No tile of pixels.
  assert.equal(layout.scratchStride, layout.pixelTileOffset + 64);
});

test('the gradients of groups take up to 64 MiB, but there are at least four groups', () => {
  const groupsOf = (convolutions: number[][]) => {
    const architecture: Architecture = { ...CONVOLUTIONAL, inputShape: [16, 16], convolutions };
    const { groupBytes, groupExamples } = layOut({
      architecture,
      records: 1024,
      threads: 1,
      training: PLAIN,
    });
    return [groupBytes, groupExamples];
  };
  // Rows of 256 float32: 10, then 2305 for each further convolution.
  const further = 2305 * 1024;
  const kernels = (count: number) => [10 * 1024 + count * further, count] as const;
  const [three] = kernels(2);
  // ⌊2²⁶ / 4.73 MB⌋ = 14 groups: 74 examples in each, but fewer in the last.
  assert.deepEqual(groupsOf([[256, 256, 256]]), [three, 74]);
  const [twelve] = kernels(11);
  // ⌊2²⁶ / 26 MB⌋ = 2, so four.
  assert.deepEqual(
    groupsOf([
      [256, 256, 256],
      [256, 256, 256],
      [256, 256, 256],
      [256, 256, 256],
    ]),
    [twelve, 256],
  );
});

test('the last group may have fewer examples, and has a gradient too', () => {
  const layout = layOut({ architecture: CONVOLUTIONAL, records: 66, threads: 1, training: PLAIN });
  // Thirteen groups of five and one of a single example.
  assert.equal(layout.groupExamples, 5);
  assert.equal(layout.kept, HEADER.bytes + layout.groupDelta + 14 * 640);
});

test('the scales and shifts of a norm are not transposed', () => {
  const architecture: Architecture = { ...CONVOLUTIONAL, norm: 'group', hidden: [] };
  const { layers } = layOut({ architecture, records: 64, threads: 1, training: PLAIN });
  assert.deepEqual(
    layers.map(({ transposed }) => transposed > 0),
    [false, false, false, true],
  );
});

test('a block of 32 rows has a partial sum, and so has the block of the biases', () => {
  const partials = (inputs: number) => {
    const architecture = dense([inputs, 3], [1, inputs]);
    const layout = layOut({ architecture, records: 64, threads: 1, training: PLAIN });
    return layout.classWeights - layout.partials;
  };
  // 8 blocks of 8 bytes are a cache line: 224 and 225 inputs with the biases; 255 too, but 256 are a block more.
  assert.deepEqual([224, 225, 255, 256].map(partials), [64, 64, 64, 128]);
});

test('a list has room for the sixteen positions that are written at a time', () => {
  const architecture = dense([64, 24, 3]);
  const { layers } = layOut({ architecture, records: 64, threads: 1, training: PLAIN });
  // 640 bytes and 2 · (24 + 16).
  assert.equal(layers[1]!.outputValues - layers[1]!.inputList, 768);
});

test('the row of a partner has sixteen bytes more than its image', () => {
  const stride = (height: number) =>
    layOut({ architecture: dense([8 * height, 3], [height, 8]), records: 1, threads: 1, training: PLAIN })
      .partnerStride;
  assert.deepEqual([5, 6, 7, 8].map(stride), [64, 64, 128, 128]);
});

test('a batch of more than 64 examples has a second mask and tile', () => {
  const { maskBytes, pixelTileOffset, labels, batchList } = trained({}, { records: 65 });
  assert.equal(maskBytes, 512);
  assert.equal(pixelTileOffset, 34 * 384 + 512 + 2 * 9344 + 64);
  assert.equal(labels - batchList, 320);
  const fewer = trained({}, { records: 63 });
  assert.equal(fewer.labels - fewer.batchList, 256);
});

test('behind the folded biases is a counter for each class, and two more', () => {
  const ofClasses = (classes: number) =>
    layOut({ architecture: dense([16, classes]), records: 128, threads: 1, training: null });
  // 28 vectors of folded biases and 112 counters are 14 lines; one more counter starts another.
  assert.deepEqual(
    [110, 111].map((classes) => ofClasses(classes).pixelTileOffset),
    [896 + 64, 960 + 64],
  );
  const { targets, classWeights } = ofClasses(110);
  assert.equal(targets - classWeights, 448);
});

test('the last record is one of zeros', () => {
  const architecture = dense([64 * 64 * 3, 3], [64, 64, 3]);
  const layout = layOut({ architecture, records: 3, threads: 1, training: null });
  // 12,288 float32 and 64 bytes; 640 bytes and 12,304 positions; two vectors, for the sums and for the values: 1165 lines.
  const stride = 49_216 + 25_280 + 64 + 64;
  assert.equal(layout.recordStride, (Math.ceil(stride / 64) | 1) * 64);
  assert.equal(layout.pages, Math.ceil((layout.records + 4 * layout.recordStride) / 65_536));
});
