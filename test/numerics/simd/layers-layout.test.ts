import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Architecture, plan } from '../../../src/numerics/network/architecture.ts';
import {
  allocator,
  flatRows,
  kernelCost,
  kernelCosts,
  layOutConvolutions,
  lines,
  oddLines,
  padded,
  vectorCount,
} from '../../../src/numerics/simd/layers-layout.ts';
import { dense } from '../../support/dense.ts';

const NETWORK: Architecture = {
  inputShape: [4, 6],
  convolutions: [[4], [20]],
  norm: 'group',
  hidden: [5],
  classes: 3,
};

/** The layout of a network's convolutions whose weights start at byte 640. */
function layOut(architecture: Architecture) {
  const memory = allocator(640);
  return { ...layOutConvolutions(plan(architecture).layers, memory), weightsEnd: memory.end() };
}

test('sizes are rounded up to cache lines, odd numbers of lines, panels and pairs of vectors', () => {
  assert.deepEqual([0, 1, 64, 65].map(lines), [0, 64, 64, 128]);
  assert.deepEqual([0, 1, 64, 65, 192, 193].map(oddLines), [64, 64, 64, 192, 192, 320]);
  assert.deepEqual([1, 16, 17, 32, 33].map(padded), [16, 16, 32, 32, 48]);
  assert.deepEqual([1, 8, 9, 16, 17].map(vectorCount), [2, 2, 4, 4, 6]);
});

test('an allocator returns successive addresses, each at a whole cache line behind the one before', () => {
  const memory = allocator(128);
  assert.deepEqual([memory.take(1), memory.take(64), memory.take(65), memory.take(0)], [128, 192, 256, 384]);
  assert.equal(memory.end(), 384);
});

test('the cost of a fully connected network is the number of its weights', () => {
  assert.deepEqual(kernelCosts(dense([784, 40, 10])), [31_360, 400]);
  assert.equal(kernelCost(dense([784, 40, 10])), 31_760);
});

test('padded channels cost as much as others, as outputs and as inputs, but not the channels of an image', () => {
  // 24 pixels · 9 · 1 · 16; 6 positions · 9 · 16 · 32; 32 values · 5; 5 · 3. Norm and pooling cost nothing.
  const expected = [3456, 0, 0, 27_648, 0, 0, 160, 15];
  assert.deepEqual(kernelCosts(NETWORK).map(Math.round), expected);
  assert.equal(Math.round(kernelCost(NETWORK)), 31_279);
});

test('a fully connected layer reads the values of its channels position by position, with padding between', () => {
  const rows = flatRows({ height: 1, width: 2, channels: 3 });
  assert.deepEqual([...rows], [0, 16, 1, 17, 2, 18]);
  assert.deepEqual([...flatRows({ height: 2, width: 1, channels: 17 })].slice(-2), [16, 48]);
});

test('the weights of each convolution precede the scales and shifts of its norm', () => {
  const { layers, weightsEnd } = layOut(NETWORK);
  // (9 + 1) rows of 16 float32; two of 16; (9 · 16 + 1) of 32; two of 32.
  const sizes = [640, 64, 64, 18_560, 128, 128];
  let at = 640;
  for (const [l, size] of sizes.entries()) {
    assert.equal(layers[l]!.weights, at, `layer ${l}`);
    at += size;
  }
  assert.equal(weightsEnd, at);
  assert.deepEqual(
    layers.map(({ inputs, outputs, units }) => [inputs, outputs, units]),
    [
      [9, 16, 4],
      [0, 16, 4],
      [0, 16, 4],
      [144, 32, 20],
      [0, 32, 20],
      [0, 32, 20],
    ],
  );
  const [first, scales, , second] = layers;
  assert.deepEqual([...first!.rows!], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(scales!.rows, null);
  // Tap 8 of the first channel, taps 0 and 1 of the second, tap 8 of the fourth.
  assert.deepEqual(
    [8, 9, 10, 35].map((j) => second!.rows![j]),
    [128, 1, 17, 131],
  );
  assert.equal(second!.rows!.length, 36);
});

test('layers of convolutions have no place in a record', () => {
  for (const { weights: _, inputs: __, outputs: ___, units: ____, rows: _____, ...others } of layOut(NETWORK)
    .layers) {
    assert.deepEqual(others, {
      transposed: 0,
      inputValues: 0,
      inputList: 0,
      outputValues: 0,
      outputGradient: 0,
      gradientList: 0,
      backwardSums: 0,
      inputGradient: 0,
    });
  }
});

test('normalized and pooled convolutions keep volumes with borders, statistics and codes', () => {
  const { convolutions, pooledGradient, keptBytes, volumeBytes } = layOut(NETWORK);
  // With its border, an image has 6 × 8 positions of 4 bytes; then 6 × 8 of 64, pooled 4 × 5; then 4 × 5 of 128, pooled 3 × 3.
  const kept: number[] = [];
  let keptEnd = 0;
  for (const size of [192, 1280, 3072, 128, 128, 1280, 1152, 2560, 256, 64, 1152]) {
    kept.push(keptEnd);
    keptEnd += size;
  }
  assert.equal(keptBytes, keptEnd);
  // The larger pooled gradient, then sums and gradient of each.
  const volumes = [0, 3072, 6144, 9216, 11_776];
  assert.equal(volumeBytes, 14_336);
  assert.equal(pooledGradient, 0);
  assert.deepEqual(convolutions, [
    {
      kernel: 1,
      norm: 2,
      height: 4,
      width: 6,
      inputStep: 4,
      outputStep: 64,
      channels: 4,
      isPooled: true,
      inputVolume: kept[0],
      outputVolume: kept[1],
      normVolume: kept[2],
      normStatistics: kept[3],
      codes: kept[4],
      derivative: kept[5],
      sums: volumes[1],
      gradient: volumes[2],
    },
    {
      kernel: 4,
      norm: 5,
      height: 2,
      width: 3,
      inputStep: 64,
      outputStep: 128,
      channels: 20,
      isPooled: true,
      inputVolume: kept[1],
      outputVolume: kept[6],
      normVolume: kept[7],
      normStatistics: kept[8],
      codes: kept[9],
      derivative: kept[10],
      sums: volumes[3],
      gradient: volumes[4],
    },
  ]);
});

test('without norm and before the pooling, a convolution keeps its outputs and their derivatives alone', () => {
  const { layers, convolutions, keptBytes, volumeBytes } = layOut({
    ...NETWORK,
    inputShape: [4, 6, 3],
    convolutions: [[4, 8]],
    norm: 'none',
  });
  assert.deepEqual(
    layers.map(({ inputs, outputs }) => [inputs, outputs]),
    [
      [27, 16],
      [144, 16],
    ],
  );
  const [first, second] = convolutions;
  // The image has 48 positions of 12 bytes; both outputs have 48 of 64; pooled, the second one has 20.
  const { normVolume, normStatistics, sums, codes, norm, isPooled } = first!;
  assert.deepEqual([normVolume, normStatistics, sums, codes, norm, isPooled], [0, 0, 0, 0, 0, false]);
  assert.deepEqual([first!.inputVolume, first!.outputVolume, first!.derivative], [0, 576, 3648]);
  assert.deepEqual([second!.inputVolume, second!.outputVolume, second!.codes], [576, 6720, 8000]);
  assert.deepEqual([second!.kernel, second!.norm, second!.normVolume], [2, 0, 0]);
  assert.deepEqual([first!.gradient, second!.sums, second!.gradient], [3072, 6144, 9216]);
  // 6 codes of 16 bytes, in two lines; the derivative of the pooled outputs.
  assert.deepEqual([second!.derivative, keptBytes, volumeBytes], [8128, 9408, 12_288]);
});

test('a second convolution of a stage reads padded channels', () => {
  const costs = kernelCosts({ ...NETWORK, convolutions: [[4, 8]], norm: 'none', hidden: [] });
  // 24 pixels · 9 · 16; 24 · 9 · 16 · 16; the pooling; 2 · 3 · 16 values · 3.
  assert.deepEqual(costs.map(Math.round), [3456, 55_296, 0, 288]);
});

test('without convolutions, nothing is kept', () => {
  const { layers, convolutions, keptBytes, volumeBytes, weightsEnd } = layOut(dense([784, 40, 10]));
  assert.deepEqual([layers, convolutions], [[], []]);
  assert.deepEqual([keptBytes, volumeBytes, weightsEnd], [0, 0, 640]);
});
