import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain, OnnxOperand } from '../../../src/formats/onnx/chain.ts';
import type { OnnxAttribute, OnnxNode } from '../../../src/formats/onnx/message.ts';
import {
  readAttribute,
  readText,
  requireChain,
  requireChannels,
  requireIntegers,
  requireNumber,
  requireNumbers,
  requireVector,
  requireWeights,
} from '../../../src/formats/onnx/operands.ts';
import { UNSCALED } from '../../../src/formats/onnx/scaling.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const node = (attributes: Readonly<Record<string, OnnxAttribute>> = {}): OnnxNode => ({
  ...{ name: 'n', opType: 'Op', domain: '', inputs: [], outputs: ['out'], attributes },
});
const PLAIN = node();
const constant = (dims: readonly number[], transposed = false): OnnxOperand => ({
  ...{ kind: 'constant', transposed },
  tensor: {
    name: 'c',
    dims,
    data: Float32Array.from({ length: dims.reduce((product, size) => product * size, 1) }, (_, n) => n + 1),
  },
});
const integers: OnnxOperand = {
  ...{ kind: 'constant', transposed: false, tensor: { name: 'c', dims: [2], data: null } },
};
const images: Chain = {
  ...{ kind: 'chain', scaling: UNSCALED, sizes: [3, 8, 8], axes: [0, 1, 2], isReshaped: false },
  ...{ layers: [], stage: 'input' },
};
const refusal = (run: () => unknown, message: string) =>
  assert.throws(run, (error: Error) => {
    assert.ok(error.message.includes(`node "n" (Op) ${message}`), error.message);
    return isAtelierError('invalid-model-file')(error);
  });

test('an attribute is a number, a text or a list of integers, or has its default', () => {
  assert.equal(readAttribute(PLAIN, 'a', 3), 3);
  assert.equal(readAttribute(node({ a: { int: 0 } }), 'a', 3), 0);
  assert.equal(readAttribute(node({ a: { float: 0.5 } }), 'a', 3), 0.5);
  refusal(() => readAttribute(node({ a: { text: '1' } }), 'a', 3), 'has an attribute a that is not a number');
  assert.equal(readText(PLAIN, 'a', 'x'), 'x');
  assert.equal(readText(node({ a: { text: '' } }), 'a', 'x'), '');
  refusal(() => readText(node({ a: { int: 1 } }), 'a', 'x'), 'has an attribute a that is not text');
  // A name of Object.prototype is no attribute.
  assert.equal(readAttribute(PLAIN, 'toString', 3), 3);
});

test('a number has the only value that is supported, rounded to float32', () => {
  requireNumber(PLAIN, 'a', 1);
  requireNumber(node({ a: { float: Math.fround(0.1) } }), 'a', 0.1);
  refusal(() => requireNumber(node({ a: { int: 2 } }), 'a', 1), 'has the a 2; only 1 is supported');
  refusal(() => requireNumber(PLAIN, 'a', 1, 2), 'has the a 2; only 1 is supported');
});

test('integers are those that are supported', () => {
  requireIntegers(PLAIN, 'pads', [1, 2]);
  requireIntegers(node({ pads: { ints: [1, 2] } }), 'pads', [1, 2], []);
  const only = 'only 1, 2 are supported';
  const many = Array.from({ length: 9 }, (_, n) => n);
  refusal(() => requireIntegers(PLAIN, 'pads', [1, 2], []), `has no pads; ${only}`);
  refusal(
    () => requireIntegers(node({ pads: { ints: many } }), 'pads', [1, 2]),
    `has the pads 0, 1, 2, 3, 4, 5, 6, 7; ${only}`,
  );
  refusal(() => requireIntegers(node({ pads: { int: 1 } }), 'pads', [1]), 'has pads that are not integers');
});

test('an operand is a chain, of a stage if that matters', () => {
  assert.equal(requireChain(images, PLAIN), images);
  assert.equal(requireChain(images, PLAIN, 'input'), images);
  for (const other of [constant([1]), undefined])
    refusal(() => requireChain(other, PLAIN), 'is not supported');
  refusal(() => requireChain(images, PLAIN, 'sums'), 'is not supported');
});

test('weights and biases are floating-point initializers, and biases a vector', () => {
  const { weights, transposed } = requireWeights(constant([2, 3]), PLAIN, true);
  assert.deepEqual([weights.name, weights.shape, transposed], ['c', [2, 3], true]);
  assert.equal(requireWeights(constant([2, 3], true), PLAIN, true).transposed, false);
  const asFloats = 'needs "c" as float, double or float16';
  refusal(() => requireWeights(integers, PLAIN, true), asFloats);
  refusal(
    () => requireWeights(images, PLAIN, true),
    'must have weights that are an initializer, as second input',
  );
  for (const dims of [[3], [1, 3], [1, 1, 3]])
    assert.deepEqual(requireVector(constant(dims), PLAIN).shape, [3]);
  for (const dims of [
    [3, 1],
    [2, 3],
    [1, 3, 1],
  ])
    assert.deepEqual(requireVector(constant(dims), PLAIN).shape, dims);
  for (const other of [images, undefined, constant([1, 3], true)])
    refusal(() => requireVector(other, PLAIN), 'must have biases that are an initializer');
  refusal(() => requireVector(integers, PLAIN), asFloats);
});

test('the numbers of channels come before one row and one column', () => {
  for (const dims of [
    [2, 1, 1],
    [1, 2, 1, 1],
  ]) {
    const { shape, data } = requireChannels(constant(dims), PLAIN);
    assert.deepEqual([shape, data], [[2], Float32Array.of(1, 2)]);
  }
  for (const [dims, shown] of [
    [[2], '(2,)'],
    [[1], '(1,)'],
    [[2, 2, 1], '(2, 2, 1)'],
    [[1, 1, 2], '(1, 1, 2)'],
  ] as const)
    refusal(
      () => requireChannels(constant(dims), PLAIN),
      `has "c" of shape ${shown}; after a convolution, it must have one number for each channel`,
    );
  refusal(() => requireChannels(undefined, PLAIN), 'must have numbers that are an initializer');
  refusal(() => requireChannels(integers, PLAIN), 'needs "c" as float, double or float16');
});

test('the numbers of a scaling are one, or one for each of three channels along their axis', () => {
  assert.deepEqual(requireNumbers(constant([]), PLAIN, images), [1]);
  assert.deepEqual(requireNumbers(constant([1, 1]), PLAIN, images), [1]);
  assert.deepEqual(requireNumbers(constant([1, 3, 1, 1]), PLAIN, images), [1, 2, 3]);
  assert.deepEqual(requireNumbers(constant([3]), PLAIN, { ...images, axes: [1, 2, 0] }), [1, 2, 3]);
  for (const [operand, chain] of [
    [constant([3]), images],
    [constant([2, 1, 1]), images],
    [constant([3, 1, 1]), { ...images, isReshaped: true }],
    [constant([3, 1, 1]), { ...images, sizes: [4, 8, 8] }],
    [integers, images],
    [images, images],
    [undefined, images],
  ] as const)
    refusal(
      () => requireNumbers(operand, PLAIN, chain),
      'must take the images and a single floating-point number, the same for all pixels, or one for each channel',
    );
});
