import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectPredictions } from '../../../src/numerics/evaluation/predictions.ts';
import { dense } from '../../support/dense.ts';

/** Pixels 0, 1 and 2 of an image are its logits; of 2,001 images in three chunks. */
const COUNT = 2001;
const INPUTS = 64;
const logitsOf = (n: number) => [n % 7, (3 * n) % 11, n % 5];
const pixels = new Uint8Array(COUNT * INPUTS);
for (let n = 0; n < COUNT; n++) pixels.set(logitsOf(n), n * INPUTS);
const labels = Uint8Array.from({ length: COUNT }, (_, n) => n % 3);

test('predictions are those of each image, whichever chunk it is in', () => {
  const sizes: number[] = [];
  const found = collectPredictions(
    (logits, probabilities, images) => {
      const count = images.length / INPUTS;
      sizes.push(count);
      assert.deepEqual([logits.length, probabilities.length], [3 * count, 3 * count]);
      for (let i = 0; i < count; i++) {
        const z = images.subarray(i * INPUTS, i * INPUTS + 3);
        logits.set(z, 3 * i);
        // One probability for each position, to find which one is taken.
        probabilities.set([0.25, 0.5, Number.NaN], 3 * i);
      }
    },
    { pixels, labels },
    dense([INPUTS, 3]),
  );
  assert.deepEqual(sizes, [1000, 1000, 1]);
  assert.equal(found.labels, labels);
  for (let n = 0; n < COUNT; n++) {
    const z = logitsOf(n);
    const best = z.indexOf(Math.max(...z));
    assert.deepEqual([found.predicted[n], found.confidences[n]], [best, [0.25, 0.5, 0][best]], `${n}`);
    const loss = Math.log(z.reduce((sum, each) => sum + Math.exp(each), 0)) - z[labels[n]!]!;
    assert.ok(Math.abs(found.losses[n]! - loss) < 1e-12, `${n}`);
  }
});
