import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestedShape } from '../../../src/domain/image-shape.ts';
import type { Tensor } from '../../../src/formats/arrays/tensor.ts';
import { nameLayers } from '../../../src/formats/models/layer-names.ts';
import type { Norm } from '../../../src/numerics/network/architecture.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { tensor } from '../fixtures.ts';

/** Names of weights and biases of the layers that are found. */
function named(tensors: readonly Tensor[], shape: RequestedShape = 'auto', norm?: Norm) {
  const { naming, layers } = nameLayers(tensors, shape, norm);
  return { naming, layers: layers.map(({ weights, biases }) => [weights.name, biases?.name ?? null]) };
}

const refusal = (tensors: readonly Tensor[], message: RegExp, shape: RequestedShape = 'auto') =>
  assert.throws(() => nameLayers(tensors, shape, undefined), isAtelierError('invalid-model-file', message));

test('the layers of an export have numbers from 1 on, and may lack biases', () => {
  assert.deepEqual(named([tensor('W2', 2, 3), tensor('b1', 3), tensor('W1', 3, 4)]), {
    naming: 'atelier',
    layers: [
      ['W1', 'b1'],
      ['W2', null],
    ],
  });
  assert.equal(nameLayers([tensor('W1', 3, 4)], 'auto', undefined).layers[0]!.transposed, false);
  refusal([tensor('W2', 2, 3)], /"W1" is missing/);
  refusal([tensor('W1', 2, 3), tensor('b2', 3)], /"W2" is missing/);
});

test('the layers of scikit-learn have numbers from 0 on, are transposed, and have biases', () => {
  for (const separator of ['_', '_.', '__', '']) {
    const tensors = [0, 1].flatMap((n) => [
      tensor(`coefs${separator}${n}`, 4, 3),
      tensor(`intercepts${separator}${n}`, 3),
    ]);
    const { naming, layers } = nameLayers(tensors, 'auto', undefined);
    assert.equal(naming, 'sklearn');
    assert.deepEqual(
      layers.map(({ weights, transposed }) => [weights.name, transposed]),
      [
        [`coefs${separator}0`, true],
        [`coefs${separator}1`, true],
      ],
    );
  }
  refusal([tensor('coefs_0', 4, 3)], /"intercepts_0" is missing/);
  refusal([tensor('coefs_1', 4, 3), tensor('intercepts_1', 3)], /"coefs_0" is missing/);
  refusal(
    [tensor('coefs_0', 4, 3), tensor('coefs_.0', 4, 3), tensor('intercepts_0', 3)],
    /it has both "coefs_0" and "coefs_\.0"/,
  );
});

test('a message lists up to five names of a file without layers', () => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => tensor(`x${i}`, 1));
  refusal([], /or 0\.weight, 0\.bias, …; it has none\./);
  refusal(names(5), /; it has "x0", "x1", "x2", "x3", "x4"\.$/);
  refusal(names(7), /; it has "x0", "x1", "x2", "x3", "x4" and 2 more\.$/);
});

test('a name of another scheme is shown with two that are expected', () => {
  refusal([tensor('W1', 3, 4), tensor('x', 3)], /"x" is not a name like "W1" and "b1"/);
  refusal([tensor('0.weight', 3, 784), tensor('x', 3)], /"x" is not a name like "1\.weight" and "1\.bias"/);
});

const CONVOLUTIONS = [
  tensor('K1', 4, 1, 3, 3),
  tensor('c1', 4),
  tensor('K2', 8, 4, 3, 3),
  tensor('W1', 2, 8),
];

test('convolutions precede fully connected layers, and have normalizations of the same numbers', () => {
  assert.deepEqual(named(CONVOLUTIONS), {
    naming: 'atelier',
    layers: [
      ['K1', 'c1'],
      ['K2', null],
      ['W1', null],
    ],
  });
  const norms = [tensor('gamma1', 4), tensor('gamma2', 8), tensor('beta2', 8)];
  const { layers } = nameLayers([...CONVOLUTIONS, ...norms], 'auto', undefined);
  assert.deepEqual(
    layers.map(({ norm }) => norm && [norm.scale?.name, norm.shift?.name ?? null, norm.statistics]),
    [['gamma1', null, null], ['gamma2', 'beta2', null], undefined],
  );
});

test('convolutions need a fully connected layer, and all or no normalizations', () => {
  refusal(CONVOLUTIONS.slice(0, 3), /no fully connected layer after its convolutions: "W1" is missing/);
  refusal([...CONVOLUTIONS, tensor('gamma1', 4)], /it has 1 normalizations, but 2 convolutions/);
});

/** A state dict whose names do not order its layers. */
const stateDict = (channels: number, values: number): Tensor[] => [
  tensor('c.weight', 3, values),
  tensor('b.weight', 4, channels, 3, 3),
  tensor('a.weight', 4, 4, 3, 3),
  tensor('a.bias', 4),
];
const ORDERED = [
  ['b.weight', null],
  ['a.weight', 'a.bias'],
  ['c.weight', null],
];

test('the first convolution of a state dict takes grey images or colours, or those of the request', () => {
  assert.deepEqual(named(stateDict(1, 16)), { naming: 'pytorch', layers: ORDERED });
  assert.deepEqual(named(stateDict(3, 16)).layers, ORDERED);
  assert.deepEqual(named(stateDict(1, 16), [8, 8]).layers, ORDERED);
  assert.deepEqual(named(stateDict(3, 16), [8, 8, 3]).layers, ORDERED);
  assert.deepEqual(named(stateDict(3, 16), [3, 8, 8]).layers, ORDERED);
  // If no order fits, layers have the order of their names, so that the first mismatch is reported.
  const byName = [ORDERED[1], ORDERED[0], ORDERED[2]];
  assert.deepEqual(named(stateDict(2, 16)).layers, byName);
  assert.deepEqual(named(stateDict(3, 16), [8, 8]).layers, byName);
  assert.deepEqual(named(stateDict(1, 16), [8, 8, 3]).layers, byName);
});

test('the first fully connected layer of a state dict takes whole channels, or images', () => {
  const convolutions = [tensor('b.weight', 4, 1, 3, 3)];
  const dense = (values: number) => [tensor('y.weight', 5, 7), tensor('z.weight', 7, values)];
  const orderOf = (values: number, shape: RequestedShape, first: readonly Tensor[]) =>
    named([...first, ...dense(values)], shape)
      .layers.slice(first.length)
      .map(([name]) => name);
  const [fits, sorted] = [
    ['z.weight', 'y.weight'],
    ['y.weight', 'z.weight'],
  ];
  assert.deepEqual(orderOf(12, 'auto', convolutions), fits);
  assert.deepEqual(orderOf(13, 'auto', convolutions), sorted);
  assert.deepEqual(orderOf(64, 'auto', []), fits);
  assert.deepEqual(orderOf(65, 'auto', []), sorted);
  assert.deepEqual(orderOf(72, [8, 9], []), fits);
  assert.deepEqual(orderOf(64, [8, 9], []), sorted);
});
