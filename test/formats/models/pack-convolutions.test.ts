import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LayerTensors, Normalization, Tensor } from '../../../src/formats/arrays/tensor.ts';
import {
  checkStages,
  halve,
  packConvolutions,
  readChannels,
  readStages,
} from '../../../src/formats/models/pack-convolutions.ts';
import type { Block, Norm } from '../../../src/numerics/network/architecture.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const tensor = (name: string, shape: readonly number[], ...data: readonly number[]): Tensor => ({
  name,
  shape,
  data: Float64Array.from(
    { length: shape.reduce((product, size) => product * size, 1) },
    (_, i) => data[i] ?? 0,
  ),
});

const convolution = (inputs: number, channels: number, others: Partial<LayerTensors> = {}): LayerTensors => ({
  weights: tensor('K', [channels, inputs, 3, 3]),
  biases: null,
  transposed: false,
  ...others,
});
const pooled = { isPooled: true };
const GROUP: Normalization = { scale: null, shift: null, statistics: null };

const refusal = (run: () => unknown, message: RegExp, pointer = '#/file') =>
  assert.throws(run, isAtelierError('invalid-model-file', message, pointer));
const refusedStages = (stages: readonly number[][], norm: Norm, shape: ImageShape, message: RegExp) =>
  refusal(() => checkStages(stages, norm, shape), message, '#/convolutions');

test('each max pooling ends a stage and halves the image', () => {
  const layers = [convolution(3, 4), convolution(4, 6, pooled), convolution(6, 5, pooled)];
  // 13×22 → 6×11 → 3×5, of 5 channels.
  assert.deepEqual(readStages(layers, [13, 22, 3]), {
    convolutions: [[4, 6], [5]],
    norm: 'none',
    values: 75,
  });
  assert.deepEqual(readStages([], [13, 22]), { convolutions: [], norm: 'none', values: 286 });
  assert.deepEqual(halve({ height: 5, width: 8, channels: 3 }), { height: 2, width: 4, channels: 3 });
});

test('the last convolution has a max pooling', () => {
  const last = convolution(4, 5, { weights: tensor('last', [5, 4, 3, 3]) });
  refusal(
    () => readStages([convolution(1, 4, pooled), last], [8, 8]),
    /"last" is the last convolution, but no 2×2/,
  );
});

test('group normalization follows all convolutions or none', () => {
  const group = { norm: GROUP };
  const both = [convolution(1, 4, { ...group, ...pooled }), convolution(4, 8, { ...group, ...pooled })];
  assert.equal(readStages(both, [8, 8]).norm, 'group');
  refusal(
    () => readStages([both[0]!, convolution(4, 8, pooled)], [8, 8]),
    /1 of its 2 convolutions have group normalization; all or none must have it/,
  );
  // Batch normalization becomes part of the convolution.
  const [mean, variance] = [tensor('mean', [3]), tensor('variance', [3])];
  const batch = { ...GROUP, statistics: { mean, variance, epsilon: 1 } };
  assert.equal(readStages([convolution(1, 3, { norm: batch, ...pooled })], [8, 8]).norm, 'none');
});

test('up to four stages of up to three convolutions of up to 256 channels are allowed', () => {
  const full = [256, 256, 256];
  checkStages([full, full, full, full], 'group', [16, 16]);
  checkStages([[1]], 'none', [2, 2]);
  refusedStages(
    [[1], [1], [1], [1], [1]],
    'none',
    [64, 64],
    /have 1, 1, 1, 1, 1 convolutions; 1 to 3 in at most 4 stages are allowed/,
  );
  refusedStages([[1], [1, 1, 1, 1]], 'none', [64, 64], /have 1, 4 convolutions/);
  refusedStages([[], [1]], 'none', [64, 64], /have 0, 1 convolutions/);
  refusedStages([[4], [257]], 'none', [64, 64], /a convolution has 257 channels; 1 to 256 are allowed/);
  refusedStages([[0]], 'none', [64, 64], /a convolution has 0 channels; 1 to 256 are allowed/);
});

test('groups have four channels', () => {
  refusedStages([[8], [6]], 'group', [64, 64], /has 6 channels, which is not a multiple of 4/);
  checkStages([[8], [6]], 'none', [64, 64]);
});

test('at least one pixel remains after the last stage', () => {
  checkStages([[1], [1], [1]], 'none', [8, 15]);
  refusedStages(
    [[1], [1], [1]],
    'none',
    [7, 15],
    /images of 7×15 are 0×1 after stage 3; at least 1×1 must remain/,
  );
  refusedStages([[1], [1]], 'none', [16, 3, 3], /images of 16×3×3 are 4×0 after stage 2/);
});

test('a convolution takes the channels of the one before, with a kernel of 3×3', () => {
  assert.equal(readChannels(convolution(3, 5), 3), 5);
  refusal(
    () => readChannels(convolution(3, 5), 4),
    /"K" has shape \(5, 3, 3, 3\), but must have \(channels, 4, 3, 3\): a 3×3 convolution of 4 channels/,
  );
  refusal(() => readChannels(convolution(3, 257), 3), /a convolution has 257 channels/, '#/convolutions');
});

test('every vector of a convolution has one number for each of its channels', () => {
  const [right, long, square] = [tensor('v', [2]), tensor('v', [3]), tensor('v', [2, 1])];
  const all = { mean: right, variance: right, epsilon: 1 };
  assert.equal(
    readChannels(
      convolution(1, 2, { biases: right, norm: { scale: right, shift: right, statistics: all } }),
      1,
    ),
    2,
  );
  for (const wrong of [long, square]) {
    const shape = wrong === long ? '\\(3,\\)' : '\\(2, 1\\)';
    for (const changes of [
      { biases: wrong },
      { norm: { ...GROUP, scale: wrong } },
      { norm: { ...GROUP, shift: wrong } },
      { norm: { ...GROUP, statistics: { ...all, mean: wrong } } },
      { norm: { ...GROUP, statistics: { ...all, variance: wrong } } },
    ])
      refusal(
        () => readChannels(convolution(1, 2, changes), 1),
        new RegExp(`"v" has shape ${shape}, but must have \\(2,\\), since "K" has \\(2, 1, 3, 3\\)`),
      );
  }
});

/** The packed vector of these layers, whose blocks have these sizes, and the number of rounded values. */
function pack(layers: readonly LayerTensors[], ...sizes: readonly number[]) {
  let at = 0;
  const blocks = sizes.map((size): Block => {
    at += size;
    return { name: '', shape: [size], start: at - size, end: at };
  });
  const parameters = new Float32Array(at);
  const rounded = packConvolutions(parameters, blocks, layers);
  return { values: [...parameters], rounded };
}

const ODD = 1 / 3;
const zeros = (count: number) => new Array<number>(count).fill(0);

test('kernels and biases are copied in turn, and each rounded value is counted', () => {
  const first = convolution(1, 1, {
    weights: tensor('K1', [1, 1, 3, 3], ODD, 2, ODD),
    biases: tensor('c1', [1], ODD),
  });
  const second = convolution(1, 1, { weights: tensor('K2', [1, 1, 3, 3], 5) });
  const { values, rounded } = pack([first, second], 9, 1, 9, 1);
  const odd = Math.fround(ODD);
  assert.deepEqual(values, [odd, 2, odd, ...zeros(6), odd, 5, ...zeros(8), 0]);
  assert.equal(rounded, 3);
});

test('group normalization without scales and shifts has ones and zeros', () => {
  const { values, rounded } = pack([convolution(1, 2, { norm: GROUP })], 18, 2, 2, 2);
  assert.deepEqual(values, [...zeros(20), 1, 1, 0, 0]);
  assert.equal(rounded, 0);
});

test('the scales and shifts of group normalization follow the biases', () => {
  const norm = { ...GROUP, scale: tensor('s', [2], ODD, 3), shift: tensor('t', [2], ODD, ODD) };
  const next = convolution(1, 2, { weights: tensor('K2', [2, 1, 3, 3], 7), norm: GROUP });
  const { values, rounded } = pack([convolution(1, 2, { norm }), next], 18, 2, 2, 2, 18, 2, 2, 2);
  const odd = Math.fround(ODD);
  assert.deepEqual(values.slice(20, 25), [odd, 3, odd, odd, 7]);
  assert.deepEqual(values.slice(44), [1, 1, 0, 0]);
  assert.equal(rounded, 3);
});

/** A normalization of two channels whose factors are 3 / √(0.5 + 0.5) and 1 / √(3.5 + 0.5), if it has scales. */
const batch = (changes: Partial<Normalization> = {}): Normalization => ({
  scale: tensor('scale', [2], 3, 1),
  shift: tensor('shift', [2], 10, 20),
  statistics: { mean: tensor('mean', [2], 1, 4), variance: tensor('variance', [2], 0.5, 3.5), epsilon: 0.5 },
  ...changes,
});

test('batch normalization multiplies kernels, and biases less the mean, and adds the shift', () => {
  const weights = tensor('K', [2, 1, 3, 3], 1, 2, ...zeros(7), 8);
  const given = convolution(1, 2, { weights, biases: tensor('c', [2], 5, 6), norm: batch() });
  const { values, rounded } = pack([given, convolution(2, 1)], 18, 2, 18, 1);
  assert.deepEqual(values.slice(0, 18), [3, 6, ...zeros(7), 4, ...zeros(8)]);
  // (5 − 1) · 3 + 10 and (6 − 4) / 2 + 20; no blocks of scales and shifts follow.
  assert.deepEqual(values.slice(18, 20), [22, 21]);
  assert.equal(rounded, 0);
  const plain = batch({ scale: null, shift: null });
  // Without scales, shifts and biases: kernels by 1 and 1/2; −1 and −4 / 2.
  assert.deepEqual(pack([convolution(1, 2, { weights, norm: plain })], 18, 2).values, [
    1,
    2,
    ...zeros(7),
    4,
    ...zeros(8),
    -1,
    -2,
  ]);
});

test('the values that batch normalization rounds are counted, in kernels and biases', () => {
  const weights = tensor('K', [2, 1, 3, 3], ODD, ...zeros(8), ODD, ODD);
  const given = convolution(1, 2, { weights, biases: tensor('c', [2], ODD, 6), norm: batch() });
  // 3 · ⅓ and (⅓ − 1) · 3 + 10 are exact; the two sixths of the second kernel are not.
  const { rounded } = pack([given], 18, 2);
  assert.equal(rounded, 2);
  const shifted = batch({ shift: tensor('shift', [2], 0.1, 0.2) });
  assert.equal(pack([convolution(1, 2, { norm: shifted })], 18, 2).rounded, 2);
});

test('a variance is not so negative that its root does not exist', () => {
  const statistics = { ...batch().statistics!, variance: tensor('variance', [2], 1, -0.5) };
  refusal(
    () => pack([convolution(1, 2, { norm: batch({ statistics }) })], 18, 2),
    /"variance" has -0\.5 at position 1; a variance is not negative/,
  );
});

test('an error of folded biases names the shifts, or else the means', () => {
  const huge = batch({ shift: tensor('shift', [2], 0, 1e39) });
  refusal(
    () => pack([convolution(1, 2, { norm: huge })], 18, 2),
    /"shift" has 1e\+39 at position 1, not finite/,
  );
  const statistics = { ...batch().statistics!, mean: tensor('mean', [2], 1e39) };
  refusal(
    () => pack([convolution(1, 2, { norm: batch({ shift: null, statistics }) })], 18, 2),
    /"mean" has -3e\+39 at position 0, not finite/,
  );
});
