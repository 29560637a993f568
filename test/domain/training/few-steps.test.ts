import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { warnOfFewSteps } from '../../../src/domain/training/few-steps.ts';
import { stepsPerEpoch } from '../../../src/numerics/examples/batches.ts';

const request = (training: object = {}, warmStart: string | null = null) =>
  trainingRequestSchema.parse({ dataset: 'photos', training, warmStart });

test('warns of fewer than 500 steps, and suggests smaller batches and more epochs', () => {
  assert.deepEqual(warnOfFewSteps(request(), 424), {
    message: '70 steps: likely too few. Suggested: epochs 70, batch size 16.',
    suggested: { epochs: 70, batchSize: 16 },
  });
  assert.deepEqual(warnOfFewSteps(request({ batchSize: 8 }), 36)?.suggested, { epochs: 400, batchSize: 8 });
  assert.equal(warnOfFewSteps(request({ epochs: 499 }), 10)?.message.split(' ')[0], '499');
  assert.equal(warnOfFewSteps(request({ epochs: 500 }), 10), null);
  assert.equal(warnOfFewSteps(request(), 54_000), null);
});

test('never suggests fewer epochs', () => {
  const { suggested } = warnOfFewSteps(request({ epochs: 2, batchSize: 1024 }), 54_000)!;
  assert.deepEqual(suggested, { epochs: 2, batchSize: 16 });
});

test('does not warn of its own suggestion', () => {
  for (let images = 1; images < 3000; images += 1 + Math.floor(images / 50)) {
    for (const batchSize of [1, 5, 64, 1024]) {
      const { suggested } = warnOfFewSteps(request({ epochs: 1, batchSize }), images) ?? {};
      if (suggested === undefined) continue;
      assert.equal(warnOfFewSteps(request(suggested), images), null, JSON.stringify(suggested));
      assert.ok(suggested.epochs * stepsPerEpoch(images, suggested.batchSize) < 4000);
    }
  }
});

test('does not warn of a warm start, which begins with trained parameters', () => {
  assert.equal(warnOfFewSteps(request({}, 'photos@1'), 424), null);
});
