/** Hints: each mistake alone, and two at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referenceGradient } from '../../../../src/numerics/checks/gradient.ts';
import { explainBlocks } from '../../../../src/numerics/checks/submitted/explain.ts';
import type { Block } from '../../../../src/numerics/network/architecture.ts';
import { blocks } from '../../../../src/numerics/network/architecture.ts';
import { initialize } from '../../../../src/numerics/network/initialize.ts';
import { randomBits } from '../../../../src/numerics/random.ts';
import { dense } from '../../../support/dense.ts';
import { firstIndices, reluNetwork, stripes } from '../../fixtures.ts';
import { convolutional, findings, relu, scale, tanh } from './fixture.ts';

const sentences = ({ blocks }: ReturnType<typeof relu.compare>) =>
  blocks.flatMap(({ hint }) => hint?.sentence ?? []);

/** Stores weights as inputs × outputs. */
function transpose(numbers: Float64Array, { shape }: Block): void {
  const [outputs, inputs] = [shape[0]!, numbers.length / shape[0]!];
  const right = numbers.slice();
  for (let i = 0; i < outputs; i++) {
    for (let j = 0; j < inputs; j++) numbers[j * outputs + i] = right[i * inputs + j]!;
  }
}

/** Row k gets the numbers of row k + 1. */
function rotateRows(numbers: Float64Array, { shape }: Block): void {
  const size = numbers.length / shape[0]!;
  const right = numbers.slice();
  numbers.set(right.subarray(size));
  numbers.set(right.subarray(0, size), numbers.length - size);
}

const addParameters = (factor: number) => (numbers: Float64Array, block: Block) => {
  for (let i = 0; i < numbers.length; i++) numbers[i]! += factor * relu.parameters[block.start + i]!;
};

const both =
  (...changes: ((numbers: Float64Array, block: Block) => void)[]) =>
  (numbers: Float64Array, block: Block) => {
    for (const change of changes) change(numbers, block);
  };

/** The vector with its blocks, given by their ends, in another order. */
function repack(vector: Float64Array, ends: readonly number[], order: readonly number[]): Float64Array {
  const parts = ends.map((end, b) => vector.slice(b === 0 ? 0 : ends[b - 1], end));
  return Float64Array.from(order.flatMap((b) => [...parts[b]!]));
}
const ENDS = [72, 78, 114, 120, 144, 148];

for (const [factor, reason] of [
  [6, /6 times the right ones: a sum over the 6 examples/],
  [1 / 6, /1\/6 of the right ones: a mean that is divided by the 6 examples once more/],
  [1 / 4, /1\/4 of the right ones: a mean over the 4 classes as well/],
  [2, /2 times the right ones\.$/],
  [0.01, /0\.01 times the right ones\.$/],
  [-6, /the sign is wrong; besides, the numbers are 6 times the right ones/],
] as const) {
  test(`finds a factor of ${factor}`, () => {
    for (const gradient of ['right', 'float32'] as const) {
      const report = relu.compare(relu.change({ W2: scale(factor) }, relu.copy(gradient)));
      assert.deepEqual(findings(report), [`W2: constant-factor ${factor}`]);
      assert.match(sentences(report)[0]!, reason);
    }
  });
}

test('finds a wrong sign', () => {
  const report = relu.compare(relu.change({ b2: scale(-1) }));
  assert.deepEqual(findings(report), ['b2: sign']);
  assert.equal(sentences(report)[0], 'In b2, the sign is wrong.');
});

test('finds transposed weights, also of the wrong sign or summed', () => {
  const report = relu.compare(relu.change({ W1: transpose, W3: both(transpose, scale(-6)) }));
  assert.deepEqual(findings(report), ['W1: transposed', 'W3: transposed -6']);
  assert.equal(
    sentences(report)[0],
    'In W1, the numbers are stored as 12 × 6 instead of 6 × 12, so transpose them.',
  );
});

test('finds kernels and the weights above them with their axes in another order', () => {
  const { change, compare, copy } = convolutional;
  /** As TensorFlow stores kernels: 3 × 3 × inputs × outputs. */
  const toTensorflow = (numbers: Float64Array) => {
    const right = numbers.slice();
    for (let o = 0; o < 4; o++)
      for (let i = 0; i < 3; i++)
        for (let t = 0; t < 9; t++) numbers[(t * 3 + i) * 4 + o] = right[(o * 3 + i) * 9 + t]!;
  };
  /** Flattened with channels last. */
  const channelsLast = (numbers: Float64Array) => {
    const right = numbers.slice();
    for (let u = 0; u < 5; u++)
      for (let c = 0; c < 4; c++)
        for (let p = 0; p < 12; p++) numbers[u * 48 + p * 4 + c] = right[u * 48 + c * 12 + p]!;
  };
  for (const gradient of ['right', 'float32'] as const) {
    const report = compare(change({ K1: toTensorflow, W1: channelsLast }, copy(gradient)));
    assert.deepEqual(findings(report), ['K1: transposed', 'W1: transposed']);
    assert.deepEqual(sentences(report), [
      'In K1, the numbers are stored as 3 × 3 × 3 × 4 (rows × columns × inputs × outputs) instead of 4 × 3 × 3 × 3 (outputs × inputs × rows × columns), so transpose them.',
      'In W1, the numbers are stored as 5 × 3 × 4 × 4 (outputs × rows × columns × channels) instead of 5 × 4 × 3 × 4 (outputs × channels × rows × columns), so transpose them.',
    ]);
  }
});

test('names the axes of transposed weights if their sizes are equal', () => {
  const { change, compare } = convolutional;
  /** Rows and columns of each kernel swapped. */
  const swapSides = (numbers: Float64Array) => {
    const right = numbers.slice();
    for (let k = 0; k < 12; k++)
      for (let t = 0; t < 9; t++) numbers[9 * k + t] = right[9 * k + 3 * (t % 3) + Math.floor(t / 3)]!;
  };
  assert.deepEqual(sentences(compare(change({ K1: swapSides }))), [
    'In K1, the numbers are stored as 4 × 3 × 3 × 3 (outputs × inputs × columns × rows) instead of 4 × 3 × 3 × 3 (outputs × inputs × rows × columns), so transpose them.',
  ]);
  assert.deepEqual(sentences(relu.compare(relu.change({ W2: transpose }))), [
    'In W2, the numbers are stored as 6 × 6 (inputs × outputs) instead of 6 × 6 (outputs × inputs), so transpose them.',
  ]);
});

test('finds swapped blocks', () => {
  const right = relu.copy('right');
  const given = relu.copy('right');
  given.set(right.subarray(114, 120), 72);
  given.set(right.subarray(72, 78), 114);
  const report = relu.compare(given);
  assert.deepEqual(findings(report), ['b1: swapped-blocks', 'b2: swapped-blocks']);
  assert.deepEqual(sentences(report), [
    'In b1, the numbers are those of b2.',
    'In b2, the numbers are those of b1.',
  ]);
});

test('finds blocks that are packed in another order, also if all are sums', () => {
  for (const [order, names] of [
    [[0, 2, 4, 1, 3, 5], 'W1, W2, W3, b1, b2, b3'],
    [[1, 3, 5, 0, 2, 4], 'b1, b2, b3, W1, W2, W3'],
    [[1, 0, 3, 2, 5, 4], 'b1, W1, b2, W2, b3, W3'],
    [[4, 5, 2, 3, 0, 1], 'W3, b3, W2, b2, W1, b1'],
  ] as const) {
    const packed = repack(relu.copy('right'), ENDS, order);
    for (const factor of [1, 6]) {
      const report = relu.compare(packed.map((value) => factor * value));
      const wrong = report.blocks.filter(({ agrees }) => !agrees);
      assert.ok(wrong.length >= 4, names);
      for (const { name, hint } of wrong) {
        if (hint?.kind === 'constant-factor') continue;
        assert.deepEqual([hint?.kind, hint?.factor ?? 1], ['swapped-blocks', factor], name);
        assert.ok(
          hint!.sentence.includes(`packed as ${names} instead of W1, b1, W2, b2, W3, b3`),
          hint!.sentence,
        );
      }
    }
  }
});

test('finds a missing derivative of the activation, in all hidden layers or in one', () => {
  const kind = 'missing-activation-mask';
  const all = relu.compare(relu.copy('noMask'));
  assert.deepEqual(findings(all), [`W1: ${kind}`, `b1: ${kind}`, `W2: ${kind}`, `b2: ${kind}`]);
  const first = relu.compare(relu.copy('noFirstMask'));
  assert.deepEqual(findings(first), [`W1: ${kind}`, `b1: ${kind}`]);
  assert.equal(
    sentences(first)[0],
    'In W1, the error of hidden layer 1 is not multiplied by the derivative of relu, which is 0 where z ≤ 0.',
  );
  const other = tanh.compare(tanh.copy('noMask'));
  assert.deepEqual(findings(other), [`W1: ${kind}`, `b1: ${kind}`]);
  assert.match(
    sentences(other)[0]!,
    /the error of the hidden layer is not multiplied by the derivative of tanh\.$/,
  );
  const convolution = convolutional.compare(convolutional.copy('noMask'));
  assert.deepEqual(findings(convolution), [`K1: ${kind}`, `c1: ${kind}`, `W1: ${kind}`, `b1: ${kind}`]);
  const kernels = convolutional.compare(convolutional.copy('noFirstMask'));
  assert.deepEqual(findings(kernels), [`K1: ${kind}`, `c1: ${kind}`]);
});

test('finds a missing derivative beside a second mistake of the same block', () => {
  const kind = 'missing-activation-mask';
  const report = relu.compare(
    relu.change({ W1: transpose, b1: scale(6), W2: addParameters(0.02) }, relu.copy('noMask')),
  );
  assert.deepEqual(findings(report), ['W1: transposed', `b1: ${kind} 6`, `W2: ${kind}`, `b2: ${kind}`]);
  const [first, , third] = sentences(report);
  assert.match(first!, /derivative of relu.*; besides, the numbers are stored as 12 × 6/);
  assert.match(third!, /derivative of relu.*; besides, the numbers contain 0\.02 times the parameters/);
});

test('finds rows of the last layer in the order of other classes', () => {
  const report = relu.compare(relu.change({ W3: rotateRows, b3: both(rotateRows, scale(6)) }));
  assert.deepEqual(findings(report), ['W3: permuted-classes', 'b3: permuted-classes 6']);
  assert.match(sentences(report)[0]!, /row 0 holds class 1, row 1 holds class 2, row 2 holds class 3, …\.$/);
});

test('finds permuted labels, also beside a missing derivative or with sums', () => {
  const kind = 'permuted-classes';
  const names = ['W1', 'b1', 'W2', 'b2', 'W3', 'b3'];
  const report = relu.compare(relu.copy('otherLabels'));
  assert.deepEqual(
    findings(report),
    names.map((name) => `${name}: ${kind}`),
  );
  assert.match(
    sentences(report)[4]!,
    /class 0 is taken for 3, class 1 is taken for 0, class 2 is taken for 1, …\.$/,
  );
  const sums = relu.compare(relu.copy('otherLabels').map((value) => 6 * value));
  assert.deepEqual(
    findings(sums),
    names.map((name) => `${name}: ${kind} 6`),
  );
  const unmasked = relu.compare(relu.copy('otherLabelsNoMask'));
  assert.deepEqual(
    findings(unmasked),
    names.map((name) => `${name}: ${kind}`),
  );
  assert.match(
    sentences(unmasked)[0]!,
    /labels are permuted.*; besides, the error of each hidden layer is not/,
  );
});

test('finds the gradient of a penalty, of weights and biases, also beside sums', () => {
  const report = relu.compare(
    relu.change({
      W1: addParameters(0.01),
      b1: addParameters(0.01),
      W2: both(scale(6), addParameters(-0.3)),
    }),
  );
  assert.deepEqual(findings(report), [
    'W1: penalty-missing 0.01',
    'b1: penalty-missing 0.01',
    'W2: penalty-missing -0.3',
  ]);
  assert.match(sentences(report)[0]!, /^In W1, the numbers contain 0\.01 times the parameters: .*L2 penalty/);
  assert.match(sentences(report)[2]!, /6 times the right ones.*; besides, the numbers contain -0\.3 times/);
  const single = relu.compare(relu.change({ W3: addParameters(0.5) }, relu.copy('float32')));
  assert.deepEqual(findings(single), ['W3: penalty-missing 0.5']);
});

test('finds two mistakes in different blocks', () => {
  const report = relu.compare(
    relu.change({ W1: scale(6), b1: (numbers) => numbers.fill(0), W3: transpose, b3: scale(-1) }),
  );
  assert.deepEqual(findings(report), ['W1: constant-factor 6', 'b1: zero', 'W3: transposed', 'b3: sign']);
});

test('explains nothing by numbers that no mistake produces', () => {
  for (let seed = 0; seed < 50; seed++) {
    const given = relu.copy('right').map((value, i) => value * (1 + randomBits(seed, 0, 93, i) / 2 ** 32));
    assert.deepEqual([...new Set(relu.compare(given).blocks.map(({ hint }) => hint))], [null]);
    const random = given.map((_, i) => randomBits(seed, 1, 93, i) / 2 ** 31 - 1);
    assert.deepEqual([...new Set(relu.compare(random).blocks.map(({ hint }) => hint))], [null]);
  }
});

/** 64-400-400-400-400-4, whose three layers of equal size could be mistaken for each other. */
function createLargeSubject() {
  const architecture = dense([64, 400, 400, 400, 400, 4]);
  const parameters = Float64Array.from(initialize('he', architecture, 1));
  const task = {
    ...reluNetwork(architecture),
    parameters,
    examples: stripes(2, 64, 4),
    indices: firstIndices(2),
  };
  const right = referenceGradient(task, parameters);
  const wrong = blocks(architecture).map((block) => ({ block, error: Infinity }));
  return {
    right,
    explain: (given: Float64Array, most: number) => explainBlocks(task, right, given, wrong, most),
  };
}

test('reads only some numbers of blocks that no mistake explains', () => {
  const { right, explain } = createLargeSubject();
  const noise = right.map((_, i) => randomBits(1, 2, 93, i) / 2 ** 31 - 1);
  // Each of the 11 gradients with a mistake has 509,604 numbers, of which the norm is computed.
  const { hints, complete } = explain(noise, 3e7);
  assert.deepEqual([hints.size, complete], [0, true]);
});

test('stops when as many numbers are read as allowed, and reports it', () => {
  const { right, explain } = createLargeSubject();
  const sums = right.map((value) => 2 * value);
  const all = explain(sums, 3e7);
  assert.deepEqual([all.hints.size, all.complete], [10, true]);
  const some = explain(sums, 3e6);
  assert.equal(some.complete, false);
  assert.ok(some.hints.size > 0 && some.hints.size < 10, `${some.hints.size}`);
  for (const [name, hint] of some.hints) assert.deepEqual(hint, all.hints.get(name));
});
