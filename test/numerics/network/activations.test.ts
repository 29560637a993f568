import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIVATION_FUNCTIONS } from '../../../src/numerics/network/activations.ts';
import { knobs } from '../fixtures.ts';

for (const { name, z, values, derivatives } of knobs.activations) {
  test(`${name} and its derivative agree with PyTorch, at zero and far from it`, () => {
    const { value, derivative } = ACTIVATION_FUNCTIONS[name];
    for (const [i, at] of z.entries()) {
      const a = value(at);
      assert.ok(Math.abs(a - values[i]!) <= 1e-15 * Math.abs(values[i]!), `${a} at ${at}, not ${values[i]}`);
      // The derivative 1 − a² is only as exact as a.
      const d = derivative(at, a);
      const error = Math.abs(d - derivatives[i]!);
      assert.ok(
        error <= 1e-15 * Math.max(1, Math.abs(derivatives[i]!)),
        `${d} at ${at}, not ${derivatives[i]}`,
      );
    }
  });
}

test('an activation of NaN is NaN', () => {
  for (const { value } of Object.values(ACTIVATION_FUNCTIONS)) assert.ok(Number.isNaN(value(Number.NaN)));
});

test('only ReLU and leaky ReLU have a kink', () => {
  const kinked = Object.entries(ACTIVATION_FUNCTIONS).flatMap(([name, { hasKink }]) =>
    hasKink ? [name] : [],
  );
  assert.deepEqual(kinked, ['relu', 'leaky-relu']);
});

test('only a unit of ReLU can be dead: value and derivative are 0 below 0', () => {
  for (const { value, derivative, canDie } of Object.values(ACTIVATION_FUNCTIONS)) {
    const isDead = (z: number) => value(z) === 0 && derivative(z, value(z)) === 0;
    assert.deepEqual([-9, -1, -1e-3].map(isDead), [canDie, canDie, canDie]);
  }
});

test('no activation is larger than its bound', () => {
  for (const { value, largest } of Object.values(ACTIVATION_FUNCTIONS)) {
    for (const z of [0, 1e-9, 0.3, 1, 20, 1e9]) {
      for (const each of [z, -z]) assert.ok(Math.abs(value(each)) <= largest(z), `${each}`);
    }
  }
});
