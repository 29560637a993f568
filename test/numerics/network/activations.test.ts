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
