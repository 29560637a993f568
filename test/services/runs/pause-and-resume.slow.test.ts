/** Trainings paused at random moments equal undisturbed ones, for every optimizer. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { JobEvent, TrainingJob } from '../../../src/domain/jobs/training.ts';
import { seeded } from '../../support/seeded.ts';
import {
  hasEnded,
  interruptible,
  isRunning,
  isUnderway,
  queueJob,
  startService,
  type TrainingBody,
  temporaryDirectory,
  tiny,
  train,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '2' });
const PAUSES = 3;

await train(app, tiny({ modelName: 'teacher', network: { hidden: [32] } }));

type Training = NonNullable<TrainingBody['training']>;

const OPTIMIZERS: Record<string, Training['optimizer']> = {
  'plain descent': { type: 'sgd', learningRate: 0.1 },
  nesterov: { type: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.001 },
  rmsprop: { type: 'rmsprop', learningRate: 0.002, momentum: 0.5 },
  adam: { type: 'adam', learningRate: 0.003 },
  adamw: { type: 'adamw', learningRate: 0.003 },
};

const VARIANTS: Record<string, { training: Training; reason: string }> = {
  'dropout, augmentation, mixup and an average': {
    training: {
      epochs: 6,
      dropout: 0.25,
      augmentation: { horizontalFlip: true, shift: 2, noise: 0.05, erase: 0.3 },
      mixup: { alpha: 0.3 },
      ema: { decay: 0.99 },
      schedule: { type: 'cosine-restarts', period: 2 },
    },
    reason: 'completed',
  },
  distillation: {
    training: { epochs: 6, distillation: { teachers: ['teacher'], weight: 0.7 } },
    reason: 'completed',
  },
  'early stopping that restores the best': {
    // No epoch improves by 100, so the training stops five epochs after the first one and restores it.
    training: { epochs: 100, earlyStopping: { patience: 5, minDelta: 100 }, clipNorm: 1 },
    reason: 'early-stopping',
  },
};

async function post(id: string, action: 'pause' | 'resume', to = app): Promise<number> {
  return (await to.inject({ method: 'POST', url: `/v1/training-jobs/${id}/${action}` })).statusCode;
}

/**
 * Pauses and resumes the job `PAUSES` times, each time after it has run for a random time. A job that ends
 * first is repeated with shorter times, so the speed of the machine does not matter.
 */
async function runPaused(body: TrainingBody, random: () => number, longestMs: number): Promise<TrainingJob> {
  const { id } = await queueJob(app, body);
  for (let pauses = 0; pauses < PAUSES; pauses++) {
    await untilJob(app, id, (job) => isRunning(job) || hasEnded(job));
    await setTimeout(random() * longestMs);
    const pausing = await post(id, 'pause');
    const { status } = await untilJob(app, id, (job) => job.status === 'paused' || hasEnded(job));
    if (status !== 'paused') return runPaused(body, random, longestMs / 2);
    assert.equal(pausing, 202);
    assert.equal(await post(id, 'resume'), 202);
  }
  return untilJob(app, id, hasEnded);
}

/** @returns the time that a job took, in milliseconds */
const duration = ({ startedAt, finishedAt }: TrainingJob) => Date.parse(finishedAt!) - Date.parse(startedAt!);

for (const [variant, { training, reason }] of Object.entries(VARIANTS)) {
  for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
    test(`paused at random moments it ends bit for bit the same: ${name}, ${variant}`, async (t) => {
      const body = (threads: number) =>
        tiny({
          modelName: 'paused',
          network: { hidden: [16] },
          training: { batchSize: 32, validation: { fraction: 0.5 }, ...training, optimizer, threads },
        });
      const undisturbed = await train(app, body(1));
      assert.equal(undisturbed.stoppedAt?.reason, reason);
      // The pauses end in the first half of the training, on average in its first quarter.
      const longestMs = duration(undisturbed) / 2 / PAUSES;
      const paused = await Promise.all(
        [1, 2].map((threads) => runPaused(body(threads), seeded(t, threads), longestMs)),
      );
      for (const job of paused) {
        assert.deepEqual([job.status, job.attempts], ['succeeded', 1]);
        assert.deepEqual([job.digest, job.stoppedAt], [undisturbed.digest, undisturbed.stoppedAt]);
        const { data: events } = (await app.inject(`/v1/training-jobs/${job.id}/events?limit=1000`)).json();
        const pauses = events.filter(
          ({ type, data }: JobEvent) => type === 'status' && data['to'] === 'paused',
        );
        assert.equal(pauses.length, PAUSES);
      }
    });
  }
}

const untilPaused = (of: FastifyInstance, id: string) =>
  untilJob(of, id, ({ status }) => status === 'paused');

test('a paused job stays paused across restarts and ends with the same result', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const start = () => startService(t, { TRAINING_WORKERS: '1', STATE_DIR: stateDir });
  const first = await start();
  const undisturbed = await train(first.app, interruptible);
  const { id } = await queueJob(first.app, interruptible);
  await untilJob(first.app, id, isUnderway);
  assert.equal(await post(id, 'pause', first.app), 202);
  const paused = await untilPaused(first.app, id);
  await first.close();

  const second = await start();
  assert.deepEqual(await untilPaused(second.app, id), paused);
  await train(second.app);
  assert.deepEqual(await untilPaused(second.app, id), paused);
  assert.equal(await post(id, 'resume', second.app), 202);
  await untilJob(second.app, id, (job) => isUnderway(job) && job.progress.step > paused.progress.step);
  await second.close();

  const { app } = await start();
  const job = await untilJob(app, id, hasEnded);
  assert.deepEqual([job.status, job.attempts, job.digest], ['succeeded', 1, undisturbed.digest]);
});
