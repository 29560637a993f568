import assert from 'node:assert/strict';
import { test } from 'node:test';
import { squareShape } from '../../../src/domain/image-shape.ts';
import { orderByShape } from '../../../src/formats/models/layer-order.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { tensor } from '../fixtures.ts';

function layers(shapes: Record<string, readonly [units: number, inputs: number]>) {
  const entries = Object.entries(shapes).map(([name, [units, inputs]]) => {
    const weights = tensor(`${name}.weight`, units, inputs);
    return [name, { weights, biases: tensor(`${name}.bias`, units), transposed: false }] as const;
  });
  return new Map(entries);
}

const order = (shapes: Parameters<typeof layers>[0]) =>
  orderByShape(layers(shapes), (inputs) => squareShape(inputs) !== undefined).map(({ weights }) =>
    weights.name.replace('.weight', ''),
  );

test('orders numbers numerically, not alphabetically', () => {
  const square = [784, 784] as const;
  assert.deepEqual(order({ '10': [10, 784], '2': square, '0': square }), ['0', '2', '10']);
  assert.deepEqual(order({ 'm.layers.10.fc': square, 'm.layers.9.fc': square }), [
    'm.layers.9.fc',
    'm.layers.10.fc',
  ]);
});

test('orders layers by shape if names do not', () => {
  assert.deepEqual(order({ between: [6, 5], output: [10, 6], entry: [5, 784] }), [
    'entry',
    'between',
    'output',
  ]);
  assert.deepEqual(order({ out: [10, 8], fc2: [8, 8], fc10: [8, 8], fc1: [8, 784] }), [
    'fc1',
    'fc2',
    'fc10',
    'out',
  ]);
});

test('rejects interchangeable layers', () => {
  assert.throws(
    () => order({ first: [8, 784], alpha: [8, 8], beta: [8, 8], out: [10, 8] }),
    isAtelierError(
      'invalid-model-file',
      /not determine whether layer "alpha" or "beta" is first; number them/,
    ),
  );
});

test('incompatible layers keep the order of their names, so the first mismatch is reported', () => {
  assert.deepEqual(order({ '2': [10, 7], '0': [8, 784] }), ['0', '2']);
});

test('the search ends quickly if no order fits', () => {
  const dead = Object.fromEntries(Array.from('abcdefgh', (name) => [name, [784, 784] as const]));
  assert.deepEqual(order({ ...dead, x: [10, 5] }), [...'abcdefgh', 'x']);
});

test('up to nine layers are searched; more are sorted by their names', () => {
  const names = [...'ihgfedcba'];
  const searched = Object.fromEntries(
    names.map((name, i) => [name, [i + 2, i === 0 ? 784 : i + 1] as const]),
  );
  assert.deepEqual(order(searched), names);
  assert.deepEqual(order({ ...searched, A: [11, 10] }), ['a', 'A', ...'bcdefghi']);
});

test('the first layer may be any whose inputs are possible', () => {
  // Both 64 and 784 inputs are square images, but only b, then a, fits.
  assert.deepEqual(order({ a: [10, 64], b: [64, 784] }), ['b', 'a']);
});
