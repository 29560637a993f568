import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { summarizeTraining } from '../../../src/domain/reports/lab-report.ts';

const job = {
  ...{ status: 'succeeded', dataset: 'd', progress: { step: 7, steps: 10 }, best: null, error: null },
  network: { convolutions: [], hidden: [40], activation: 'relu' },
} as unknown as TrainingJob;
const evaluation = {
  ...{ accuracy: 0.875, accuracyInterval: { low: 0.8, high: 0.9 }, examples: 10_000 },
} as Evaluation;
const network = (convolutions: number[][], hidden: number[]) => ({
  network: { ...job.network, convolutions, hidden },
});

for (const [changes, measured, isStopped, sentence] of [
  [
    {},
    evaluation,
    false,
    'A network with 40 hidden units (relu), trained on d, classifies 87.50 % of 10,000 test images correctly (95 % interval 80.00 % to 90.00 %, Wilson).',
  ],
  [
    { ...network([[16], [32, 32]], [128, 64]), best: { validationAccuracy: 0.5 } },
    null,
    false,
    'A network with convolutions (16)-(32 32), then 128 and 64 hidden units (relu), trained on d, classifies 50.00 % of its validation images correctly; it was not evaluated on the test images for this report.',
  ],
  [
    network([[16]], []),
    null,
    false,
    'A network with convolutions (16) (relu), trained on d, was not evaluated on the test images for this report.',
  ],
  [
    { ...network([], []), status: 'failed', error: { message: 'The loss is NaN.' } },
    null,
    false,
    'A network without hidden layers, trained on d, failed after 7 of 10 steps: The loss is NaN.',
  ],
  [
    { status: 'cancelled' },
    evaluation,
    true,
    'A network with 40 hidden units (relu), trained on d, was stopped by its search after 7 of 10 steps.',
  ],
  [
    { status: 'cancelled' },
    null,
    false,
    'A network with 40 hidden units (relu), trained on d, was cancelled after 7 of 10 steps.',
  ],
] as const) {
  test(`the result is one sentence: ${sentence}`, () => {
    assert.equal(summarizeTraining({ ...job, ...changes } as TrainingJob, measured, isStopped), sentence);
  });
}
