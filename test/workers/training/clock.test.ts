import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTrainingClock } from '../../../src/workers/training/clock.ts';

const position = { epoch: 1, step: 2, steps: 4 };
const step = { ...position, kind: 'step', examples: 64, loss: 1 } as const;

test('adds up the durations of steps and evaluations, for each epoch from 0', () => {
  const clock = createTrainingClock(2);
  clock.step(step, 30);
  clock.step(step, 50);
  clock.evaluation(5);
  clock.evaluation(7);
  assert.deepEqual(clock.epoch(), { durationMs: 80, evaluationMs: 12 });
  clock.step(step, 20);
  clock.evaluation(1);
  const { images, trainingMs, epochTrainingMs, evaluationMs } = clock.stored();
  assert.deepEqual([images, trainingMs, epochTrainingMs, evaluationMs], [192, 100, 20, 1]);
  assert.deepEqual(clock.epoch(), { durationMs: 20, evaluationMs: 1 });
  assert.equal(clock.progress(position).imagesPerSecond, 1920);
});

test('continues from the durations of a checkpoint', () => {
  const stored = { elapsedSeconds: 1000, images: 64, trainingMs: 10, epochTrainingMs: 3, evaluationMs: 2 };
  const clock = createTrainingClock(2, stored);
  clock.step(step, 10);
  clock.evaluation(1);
  assert.deepEqual(clock.epoch(), { durationMs: 13, evaluationMs: 3 });
  assert.ok(clock.elapsedSeconds() >= 1000);
  const { imagesPerSecond, etaSeconds } = clock.progress(position);
  assert.equal(imagesPerSecond, 6400);
  assert.ok(etaSeconds! >= 1000, 'half of the steps are left');
});

test('the rest of a training takes as long for each step as the steps so far', (t) => {
  let now = 5000;
  t.mock.method(performance, 'now', () => now);
  const stored = { elapsedSeconds: 1000, images: 0, trainingMs: 0, epochTrainingMs: 0, evaluationMs: 0 };
  const clock = createTrainingClock(2, stored);
  now = 7000;
  assert.equal(clock.stored().elapsedSeconds, 1002);
  assert.deepEqual(clock.progress({ epoch: 1, step: 1, steps: 4 }), {
    epoch: 1,
    epochs: 2,
    step: 1,
    steps: 4,
    fraction: 0.25,
    imagesPerSecond: null,
    etaSeconds: 3006,
  });
  assert.equal(clock.progress({ epoch: 1, step: 0, steps: 4 }).etaSeconds, null);
});
