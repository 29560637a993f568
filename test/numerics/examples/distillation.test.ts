import assert from 'node:assert/strict';
import { test } from 'node:test';
import { averageTeachers, distill } from '../../../src/numerics/examples/distillation.ts';

test('a target is mixed with the mean probabilities of its example', () => {
  const q = Float64Array.of(0, 1);
  distill(q, { weight: 0.25, targets: Float32Array.of(0.5, 0.5, 0.75, 0.25) }, 1);
  assert.deepEqual([...q], [0.1875, 0.8125]);
});

test('the probabilities of the teachers are averaged for every image, in chunks', () => {
  const images = 2345;
  const pixels = Uint8Array.from({ length: 2 * images }, (_, i) => (i >> 1) % 251);
  const seen: number[] = [];
  const teacher =
    (factor: number) => (logits: Float32Array, probabilities: Float32Array, rows: Uint8Array) => {
      seen.push(rows.length / 2);
      logits.fill(9);
      for (let n = 0; n < rows.length / 2; n++) {
        probabilities.set([factor * rows[2 * n]!, 1000 - factor * rows[2 * n]!], 2 * n);
      }
    };
  const targets = new Float32Array(2 * images);
  averageTeachers(targets, [teacher(1), teacher(3)], pixels, 2);
  for (let n = 0; n < images; n++) {
    assert.deepEqual([...targets.subarray(2 * n, 2 * n + 2)], [2 * (n % 251), 1000 - 2 * (n % 251)]);
  }
  assert.deepEqual(new Set(seen), new Set([1000, 345]));
});
