import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardCost } from '../../../src/numerics/network/architecture.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, networks, reluNetwork } from '../fixtures.ts';

for (const fixture of networks) {
  test(`logits and probabilities agree with NumPy: ${fixture.name}`, () => {
    const forward = createForward(reluNetwork(dense(fixture.sizes)), Float64Array.from(fixture.parameters));
    const logits = new Float64Array(fixture.logits.length);
    const probabilities = new Float64Array(fixture.logits.length);
    forward(logits, probabilities, Uint8Array.from(fixture.pixels));
    assertNear(logits, fixture.logits, 1e-12, 'logits');
    assertNear(probabilities, fixture.probabilities, 1e-12, 'probabilities');
  });
}

test('float32 parameters and pixels give the same result as equal float64 numbers', () => {
  const { sizes, parameters, pixels, logits } = networks[3]!;
  const rounded = Float32Array.from(parameters);
  const answer = (p: Float32Array | Float64Array, x: Float32Array | Uint8Array) => {
    const out = new Float64Array(logits.length);
    createForward(reluNetwork(dense(sizes)), p)(out, new Float64Array(logits.length), x);
    return out;
  };
  assert.deepEqual(
    answer(rounded, Float32Array.from(pixels)),
    answer(Float64Array.from(rounded), Uint8Array.from(pixels)),
  );
});

test('fractional pixels are used exactly', () => {
  const logits = new Float64Array(2);
  createForward(reluNetwork(dense([1, 2])), Float64Array.of(1, -1, 0, 0))(
    logits,
    new Float64Array(2),
    Float32Array.of(127.5),
  );
  assert.deepEqual([...logits], [0.5, -0.5]);
});

test('a network with non-finite parameters gives NaN', () => {
  const probabilities = new Float64Array(2);
  const forward = createForward(reluNetwork(dense([1, 1, 2])), Float64Array.of(Number.NaN, 0, 1, 1, 0, 0));
  forward(new Float64Array(2), probabilities, Uint8Array.of(1));
  assert.ok(probabilities.every(Number.isNaN));
});

test('rejects mismatched lengths by name', () => {
  const forward = createForward(reluNetwork(dense([4, 2])), new Float64Array(10));
  const two = new Float64Array(2);
  assert.throws(() => forward(two, two, new Uint8Array(8)), RangeError);
  assert.throws(() => forward(two, two, new Uint8Array(3)), /3 pixels, 4 per image/);
  assert.throws(
    () => createForward(reluNetwork(dense([4, 2])), new Float64Array(9)),
    /A 4-2 network has 10 parameters, not 9/,
  );
});

test('the cost of a forward pass counts every weight', () => {
  assert.equal(forwardCost(dense([784, 40, 10])), 31_760);
});

test('standardization folded into the first layer gives the same logits as standardized pixels', () => {
  const { sizes, parameters, pixels } = networks[2]!;
  const [mean, std] = [0.3, 0.4];
  const packed = Float64Array.from(parameters);
  const rows = pixels.length / sizes[0]!;
  const [folded, explicit] = [0, 1].map(() => new Float64Array(rows * sizes.at(-1)!)) as [
    Float64Array,
    Float64Array,
  ];
  const network = { ...reluNetwork(dense(sizes)), standardization: { mean, std } };
  createForward(network, packed)(folded, folded.slice(), Uint8Array.from(pixels));
  // These pixels are 255 times the standardized value, so a network that divides by 255 gets the value itself.
  const shifted = Float32Array.from(pixels, (x) => (255 * (x / 255 - mean)) / std);
  createForward(reluNetwork(dense(sizes)), packed)(explicit, explicit.slice(), shifted);
  assertNear(folded, explicit, 1e-7, 'logits');
});
