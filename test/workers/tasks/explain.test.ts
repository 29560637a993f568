import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import { type ExplanationTask, explainImage } from '../../../src/workers/tasks/explain.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';

/** Images of two rows and three columns. The logits are minus and plus the brightness of the first pixel. */
const network: ServedNetwork = {
  reference: { name: 'first', version: 1 },
  architecture: dense([6, 2], [2, 3]),
  activation: 'relu',
  standardization: null,
  parameters: Float32Array.of(-1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
  classNames: ['dark', 'bright'],
};

const explain = (label: number | null, count = 1) => {
  const images: ExplanationTask['images'] = {
    kind: 'batch',
    count,
    pixels: new Uint8Array(6 * count).fill(255),
  };
  return explainImage({ network, images, label, diagnosing: null, calibration: null });
};

test('a prediction is explained by the pixel that it depends on, for any class', () => {
  const { explained, diagnosis } = explain(null);
  assert.deepEqual([explained.label, explained.predicted, explained.width, diagnosis], [1, 1, 3, null]);
  const bright = 1 / (1 + Math.exp(-2));
  assert.ok(Math.abs(explained.probabilities[1]! - bright) < 1e-6);
  const [first, ...others] = explained.gradient;
  assert.ok(first! !== 0);
  assert.deepEqual(others, [0, 0, 0, 0, 0]);
  const dark = explain(0).explained;
  assert.deepEqual([dark.label, dark.predicted], [0, 1]);
  assert.ok(dark.gradient[0]! * first! < 0, 'what makes one class likelier makes the other less so');
});

test('only a class of the network and a single image can be explained', () => {
  assert.throws(
    () => explain(2),
    isAtelierError('impossible-request', /Class 2 does not exist; label must be at most 1/),
  );
  for (const count of [0, 2]) {
    assert.throws(
      () => explain(null, count),
      isAtelierError('impossible-request', new RegExp(`^${count} images were sent`)),
    );
  }
});
