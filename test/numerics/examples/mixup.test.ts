import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawMixingFraction, drawPartners, mixPixels } from '../../../src/numerics/examples/mixup.ts';
import { PURPOSE, threefry2x32 } from '../../../src/numerics/random.ts';

const DRAWS = 20_000;

function drawFractions(alpha: number, seed = 1): number[] {
  return Array.from({ length: DRAWS }, (_, batch) => drawMixingFraction({ alpha }, seed, 3, 64 * batch));
}

function partUpTo(fractions: readonly number[], x: number): number {
  return fractions.filter((fraction) => fraction <= x).length / fractions.length;
}

for (const [alpha, distribution] of [
  [1, (x: number) => x],
  // The arcsine distribution.
  [0.5, (x: number) => (2 / Math.PI) * Math.asin(Math.sqrt(x))],
] as const) {
  test(`λ has the distribution Beta(${alpha}, ${alpha})`, () => {
    const fractions = drawFractions(alpha);
    // A fraction of k/256 was at most (k + ½)/256 before it was rounded.
    for (const k of [0, 1, 10, 64, 100, 128, 200, 255]) {
      const expected = distribution((k + 0.5) / 256);
      // Four standard deviations.
      const tolerance = 4 * Math.sqrt((expected * (1 - expected)) / DRAWS);
      const difference = partUpTo(fractions, k / 256) - expected;
      assert.ok(Math.abs(difference) < tolerance, `${k}/256: off by ${difference}`);
    }
  });
}

test('λ has mean 1/2 and variance 1 / (4 (2 α + 1)), also for an α whose powers underflow', () => {
  for (const alpha of [0.001, 0.1, 0.2, 0.4, 1]) {
    const fractions = drawFractions(alpha, 2);
    const mean = fractions.reduce((sum, fraction) => sum + fraction, 0) / DRAWS;
    const variance = fractions.reduce((sum, fraction) => sum + (fraction - mean) ** 2, 0) / DRAWS;
    assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(0.25 / DRAWS), `${alpha}: mean ${mean}`);
    assert.ok(Math.abs(variance * 4 * (2 * alpha + 1) - 1) < 0.03, `${alpha}: variance ${variance}`);
    assert.ok(
      fractions.every((fraction) => fraction >= 0 && fraction <= 1 && Number.isInteger(256 * fraction)),
    );
  }
});

test('λ depends on the seed, the epoch and the batch alone', () => {
  const draw = (seed: number, epoch: number, start: number) =>
    drawMixingFraction({ alpha: 1 }, seed, epoch, start);
  assert.equal(draw(1, 2, 64), draw(1, 2, 64));
  const others = [draw(1, 2, 64), draw(2, 2, 64), draw(1, 3, 64), draw(1, 2, 128)];
  assert.equal(new Set(others).size, others.length);
});

test('an attempt that fails is followed by the words of the next purpose', () => {
  const attempt = (start: number, k: number) =>
    ([0, 1] as const).map(
      (word) => (threefry2x32(word, 9, PURPOSE.mixingFraction + 256 * k, start, 4) + 0.5) / 2 ** 32,
    ) as [number, number];
  let second = 0;
  for (let start = 0; start < 20; start++) {
    // With α = 1, u / (u + v) if u + v is at most 1.
    const [u, v] = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => attempt(start, k)).find(([u, v]) => u + v <= 1)!;
    if (attempt(start, 0)[0] !== u) second++;
    assert.equal(drawMixingFraction({ alpha: 1 }, 9, 4, start), Math.round((256 * u) / (u + v)) / 256);
  }
  assert.ok(second > 0);
});

test('partners are a permutation, another one for each batch', () => {
  const [first, second, again] = [0, 64, 0].map((start) => {
    const partners = new Uint32Array(64);
    drawPartners(partners, 5, 1, start);
    assert.deepEqual(
      [...partners].sort((a, b) => a - b),
      [...partners.keys()],
    );
    return partners;
  });
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, second);
});

test('every example is equally likely to be the partner', () => {
  const counts = new Float64Array(16);
  const partners = new Uint32Array(4);
  for (let batch = 0; batch < 4000; batch++) {
    drawPartners(partners, 1, 1, 4 * batch);
    for (const [n, partner] of partners.entries()) counts[4 * n + partner]!++;
  }
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(750), String(counts));
});

test('pixels are mixed and rounded, halves up', () => {
  const image = Uint8Array.of(0, 255, 255, 10, 1);
  mixPixels(image, Uint8Array.of(0, 255, 0, 20, 0), 0.5);
  assert.deepEqual([...image], [0, 255, 128, 15, 1]);
  for (const [fraction, expected] of [
    [1, 7],
    [0, 250],
    [0.25, 189],
  ] as const) {
    const one = Uint8Array.of(7);
    mixPixels(one, Uint8Array.of(250), fraction);
    assert.equal(one[0], expected);
  }
});
