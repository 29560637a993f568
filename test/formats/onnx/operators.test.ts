/** Single nodes of ONNX graphs, and the scaling of their input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain, OnnxOperand } from '../../../src/formats/onnx/chain.ts';
import { ELEMENT_TYPES, type OnnxNode } from '../../../src/formats/onnx/message.ts';
import { OPERATORS } from '../../../src/formats/onnx/operators.ts';
import {
  divide,
  joinChannels,
  multiply,
  possibleStandardizations,
  resolveScaling,
  subtract,
  UNSCALED,
} from '../../../src/formats/onnx/scaling.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const node = (opType: string, attributes: OnnxNode['attributes'] = {}): OnnxNode => ({
  ...{ name: 'n', opType, domain: '', inputs: [], outputs: ['out'], attributes },
});
const constant = (dims: readonly number[], ...data: readonly number[]): OnnxOperand => ({
  ...{ kind: 'constant', transposed: false },
  tensor: { name: 'c', dims, data: Float32Array.from(data) },
});
const weights = constant([2, 3], 1, 2, 3, 4, 5, 6);
const images: Chain = {
  ...{ kind: 'chain', scaling: UNSCALED, sizes: [3, 8, 8], axes: [0, 1, 2], isReshaped: false },
  ...{ layers: [], stage: 'input' },
};
const apply = (opType: string, operands: readonly (OnnxOperand | undefined)[], attributes = {}) =>
  OPERATORS[opType]!(operands, node(opType, attributes));
const layered = apply('MatMul', [images, weights]) as Chain;
const refusal = (run: () => unknown, message: RegExp) =>
  assert.throws(run, isAtelierError('invalid-model-file', message));

test('Gemm has weights of units × inputs if transB is set, and factors', () => {
  const biases = constant([1, 3], 7, 8, 9);
  const attributes = { transB: { int: 1 }, alpha: { float: 0.5 }, beta: { float: 2 } };
  const [layer] = (apply('Gemm', [images, weights, biases], attributes) as Chain).layers;
  assert.deepEqual(
    [layer!.transposed, layer!.weights.shape, layer!.biases?.shape, layer!.factors],
    [false, [2, 3], [3], { weights: 0.5, biases: 2 }],
  );
  const [plain] = (apply('Gemm', [images, weights], { beta: { float: 2 } }) as Chain).layers;
  assert.deepEqual(
    [plain!.transposed, plain!.biases, plain!.factors],
    [true, null, { weights: 1, biases: 1 }],
  );
  refusal(
    () => apply('Gemm', [images, weights], { transA: { int: 1 } }),
    /has transA; only transB is supported/,
  );
  refusal(
    () => apply('Gemm', [images, images]),
    /must have weights that are an initializer, as second input/,
  );
});

test('MatMul takes transposed weights, and Add gives biases once', () => {
  const turned = apply('Transpose', [weights], { perm: { ints: [1, 0] } });
  const [layer] = (apply('MatMul', [images, turned]) as Chain).layers;
  assert.deepEqual([layered.layers[0]!.transposed, layer!.transposed], [true, false]);
  assert.equal(apply('Transpose', [weights], { perm: { ints: [0, 1] } }).kind, 'other');
  const biased = apply('Add', [constant([3], 1, 2, 3), layered]) as Chain;
  assert.deepEqual(biased.layers[0]!.biases?.data, Float32Array.of(1, 2, 3));
  refusal(() => apply('Add', [biased, constant([3], 1, 2, 3)]), /node "n" \(Add\) is not supported/);
});

test('the sums of a layer are scaled by one number, with the biases that they have', () => {
  const biased = apply('Add', [layered, constant([3], 1, 2, 3)]) as Chain;
  const factors = (x: OnnxOperand) => (x as Chain).layers[0]!.factors;
  assert.deepEqual(factors(apply('Div', [biased, constant([], 4)])), { weights: 0.25, biases: 0.25 });
  assert.deepEqual(factors(apply('Mul', [constant([1], 4), layered])), { weights: 4, biases: 1 });
  const twice = apply('Mul', [apply('Div', [biased, constant([], 4)]), constant([], 2)]);
  assert.deepEqual(factors(twice), { weights: 0.5, biases: 0.5 });
  assert.equal((twice as Chain).layers[0]!.unscaled, biased.layers[0]);
});

test('1 − p and p of one unit become the probabilities of two classes', () => {
  const single = apply('MatMul', [images, constant([3, 1], 1, 2, 3)]);
  const p = apply('Sigmoid', [single]);
  const complement = apply('Sub', [constant([], 1), p]);
  assert.equal(complement.kind, 'complement');
  assert.equal((apply('Concat', [complement, p]) as Chain).stage, 'probabilities');
  refusal(() => apply('Concat', [p, complement]), /\(Concat\) is not supported/);
  refusal(() => apply('Concat', [complement, p, p]), /\(Concat\) is not supported/);
  refusal(() => apply('Sub', [constant([], 2), p]), /\(Sub\) is not supported/);
});

test('probabilities are along the last axis', () => {
  for (const axis of [-1, 1])
    assert.equal((apply('Softmax', [layered], { axis: { int: axis } }) as Chain).stage, 'probabilities');
  assert.equal((apply('LogSoftmax', [layered]) as Chain).stage, 'probabilities');
  refusal(
    () => apply('Softmax', [layered], { axis: { int: 0 } }),
    /must have the axis of the classes, 1 or -1/,
  );
  refusal(
    () => apply('Softmax', [images]),
    /\(Softmax\) is not supported; supported are Gemm, or MatMul and Add;/,
  );
});

test('a message lists the supported activations', () => {
  refusal(
    () => apply('Softmax', [images]),
    /the same one of Relu, LeakyRelu with the alpha 0\.01, Tanh, Sigmoid, Swish with the alpha 1, Sigmoid with a Mul by its input, or none;/,
  );
});

test('casts keep floats, and constants have their number', () => {
  const { float, double, float16, int64 } = ELEMENT_TYPES;
  const cast = (x: OnnxOperand, to: number) => apply('Cast', [x], { to: { int: to } });
  for (const to of [float, double, float16]) assert.equal(cast(images, to), images);
  assert.equal(cast(weights, double), weights);
  assert.deepEqual([cast(weights, float16).kind, cast(weights, int64).kind], ['other', 'other']);
  refusal(() => cast(images, int64), /must convert to float, double or float16/);
  assert.deepEqual(apply('Constant', [], { value_float: { float: 0.5 } }), {
    ...{ kind: 'constant', transposed: false },
    tensor: { name: 'out', dims: [], data: Float32Array.of(0.5) },
  });
  assert.equal(apply('Constant', [], { value_int: { int: 1 } }).kind, 'other');
});

test('the axes of images are permuted, but not the batch', () => {
  const permuted = (...ints: number[]) => (apply('Transpose', [images], { perm: { ints } }) as Chain).axes;
  assert.deepEqual(permuted(0, 2, 3, 1), [1, 2, 0]);
  for (const ints of [[1, 0, 2, 3], [0, 1, 1, 2], [0, 1, 2], []])
    refusal(() => permuted(...ints), /must permute the axes/);
  const flat = apply('Flatten', [images]) as Chain;
  assert.equal(flat.isReshaped, true);
  refusal(() => apply('Transpose', [flat], { perm: { ints: [0, 2, 3, 1] } }), /must permute the axes/);
});

test('one number scales all pixels, and three numbers along the axis of colours scale each', () => {
  const scaled = (...dims: number[]) =>
    (apply('Sub', [images, constant(dims, 1, 2, 3)]) as Chain).scaling.unit.map(({ mean }) => mean);
  assert.deepEqual(scaled(3, 1, 1), [1, 2, 3]);
  assert.deepEqual(scaled(1, 3, 1, 1), [1, 2, 3]);
  for (const dims of [[3], [1, 3, 1], [1, 1, 3]])
    refusal(() => scaled(...dims), /the same for all pixels, or one for each channel/);
});

const near = (
  found: readonly { mean: number; std: number }[] | null | undefined,
  expected: readonly number[],
) => {
  const numbers = (found ?? []).flatMap(({ mean, std }) => [mean, std]);
  assert.equal(numbers.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(numbers[i]! - value) < 1e-12, `${numbers}`);
};

test('the steps of a scaling are the standardization of pixels of 0–1, and of 0–255', () => {
  // (x − 0.5) / 0.25 · 2
  const steps = multiply(divide(subtract(UNSCALED, [0.5]), [0.25]), [2]);
  near(steps.unit, [0.5, 0.125]);
  near(steps.byte, [0.5 / 255, 0.125 / 255]);
  near(subtract(divide(UNSCALED, [2, 4, 8]), [1]).unit, [2, 2, 4, 4, 8, 8]);
  assert.deepEqual(joinChannels([{ mean: 1, std: 2 }]), { mean: 1, std: 2 });
  assert.deepEqual(joinChannels([1, 2, 3].map((mean) => ({ mean, std: 2 * mean }))), {
    ...{ mean: [1, 2, 3], std: [2, 4, 6] },
  });
});

test('pixels are of 0–255 for integers, or if floats are divided by more than 2', () => {
  assert.equal(resolveScaling(UNSCALED, 'float'), undefined);
  near(resolveScaling(UNSCALED, 'uint8'), [0, 1 / 255]);
  assert.equal(resolveScaling(divide(UNSCALED, [255]), 'float'), null);
  near(resolveScaling(divide(UNSCALED, [2]), 'float'), [0, 2]);
  near(resolveScaling(divide(UNSCALED, [2.01]), 'float'), [0, 2.01 / 255]);
  near(resolveScaling(subtract(UNSCALED, [2]), 'float'), [2, 1]);
  near(resolveScaling(subtract(UNSCALED, [-2.01]), 'float'), [-2.01 / 255, 1 / 255]);
  assert.equal(resolveScaling(divide(UNSCALED, [255 * (1 + 9e-7)]), 'float'), null);
  near(resolveScaling(divide(UNSCALED, [255 * (1 + 2e-6)]), 'float'), [0, 1 + 2e-6]);
  assert.equal(possibleStandardizations(UNSCALED, 'int64').length, 1);
  assert.equal(possibleStandardizations(UNSCALED, 'float').length, 2);
});

test('a float input of unknown type has an unknown range, and is no integer', () => {
  assert.equal(resolveScaling(UNSCALED, null), undefined);
  assert.equal(possibleStandardizations(UNSCALED, null).length, 2);
  assert.equal(possibleStandardizations(UNSCALED, 'uint8').length, 1);
});

test('nodes that keep their input have something else without one', () => {
  for (const opType of ['Identity', 'Dropout', 'Flatten', 'Reshape', 'Transpose'])
    assert.equal(apply(opType, [undefined]).kind, 'other', opType);
  for (const attributes of [{}, { value_float: { int: 1 } }, { value: { int: 1 } }])
    assert.equal(apply('Constant', [], attributes).kind, 'other');
});
