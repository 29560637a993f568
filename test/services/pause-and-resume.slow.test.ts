/** A training that was paused at random moments is the one that was not, with every optimizer, on one thread and on two. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { TrainingJob } from '../../src/domain/training-job.ts';
import {
  hasEnded,
  queueJob,
  startService,
  type TrainingBody,
  tiny,
  train,
  untilJob,
} from '../start-service.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '2' });
const PAUSES = 3;
const LONGEST_MS = 150;

type Training = NonNullable<TrainingBody['training']>;

const OPTIMIZERS: Record<string, Training['optimizer']> = {
  'plain descent': { type: 'sgd', learningRate: 0.1 },
  nesterov: { type: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.001 },
  rmsprop: { type: 'rmsprop', learningRate: 0.002, momentum: 0.5 },
  adam: { type: 'adam', learningRate: 0.003 },
  adamw: { type: 'adamw', learningRate: 0.003 },
};

const VARIANTS: Record<string, { training: Training; reason: string }> = {
  'dropout and augmentation': {
    training: {
      epochs: 6,
      dropout: 0.25,
      augmentation: { horizontalFlip: true, shift: 2, noise: 0.05, erase: 0.3 },
      schedule: { type: 'cosine' },
    },
    reason: 'completed',
  },
  'early stopping that restores the best': {
    // Nothing improves by so much: it stops five epochs after the first, which it restores.
    training: { epochs: 100, earlyStopping: { patience: 5, minDelta: 100 }, clipNorm: 1 },
    reason: 'early-stopping',
  },
};

async function post(id: string, action: 'pause' | 'resume'): Promise<number> {
  return (await app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/${action}` })).statusCode;
}

/** Whatever the moment, also where the job has ended before. */
async function runPaused(body: TrainingBody): Promise<{ job: TrainingJob; pauses: number }> {
  const { id } = await queueJob(app, body);
  let pauses = 0;
  for (; pauses < PAUSES; pauses++) {
    await setTimeout(Math.random() * LONGEST_MS);
    if ((await post(id, 'pause')) === 409) break;
    const { status } = await untilJob(app, id, (job) => job.status === 'paused' || hasEnded(job));
    if (status !== 'paused') break;
    assert.equal(await post(id, 'resume'), 202);
  }
  return { job: await untilJob(app, id, hasEnded), pauses };
}

for (const [variant, { training, reason }] of Object.entries(VARIANTS)) {
  for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
    test(`paused at random moments it ends bit for bit the same: ${name}, ${variant}`, async () => {
      const body = (threads: number) =>
        tiny({
          modelName: 'paused',
          network: { hidden: [16] },
          training: { batchSize: 32, validation: { fraction: 0.95 }, ...training, optimizer, threads },
        });
      const undisturbed = await train(app, body(1));
      assert.equal(undisturbed.stoppedAt?.reason, reason);
      const paused = await Promise.all([runPaused(body(1)), runPaused(body(2))]);
      for (const { job, pauses } of paused) {
        assert.deepEqual([job.status, job.attempts], ['succeeded', 1]);
        assert.ok(pauses > 0);
        assert.deepEqual([job.digest, job.stoppedAt], [undisturbed.digest, undisturbed.stoppedAt]);
      }
    });
  }
}
