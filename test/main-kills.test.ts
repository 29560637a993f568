import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSame, killOften, runUndisturbed } from './kill-often.ts';
import { startProcess } from './start-process.ts';
import { type TrainingBody, temporaryDirectory, tiny } from './start-service.ts';

const KILLS = 20;
const short = { validation: { fraction: 0.95 }, checkpointEverySeconds: 1 };

/** Between them they have all that is random, and all that is remembered from step to step or epoch to epoch. */
const requests: TrainingBody[] = [
  tiny({
    modelName: 'one-thread',
    network: { hidden: [24] },
    training: {
      ...short,
      epochs: 30,
      batchSize: 32,
      optimizer: { type: 'adam', learningRate: 0.003 },
      schedule: { type: 'plateau', factor: 0.7, patience: 3 },
      dropout: 0.2,
      augmentation: { horizontalFlip: true, shift: 2, noise: 0.05 },
    },
  }),
  tiny({
    modelName: 'two-threads',
    network: { hidden: [16, 12], activation: 'tanh' },
    training: {
      ...short,
      threads: 2,
      epochs: 1000,
      optimizer: { type: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true },
      dropout: 0.1,
      standardize: true,
      clipNorm: 1,
      earlyStopping: { monitor: 'validationAccuracy', patience: 12, restoreBest: true },
    },
  }),
];

test(`killed ${KILLS} times at random moments, two jobs end as if nothing had happened, and what was told stays`, async (t) => {
  const environment = { TRAINING_WORKERS: String(requests.length) };
  const quiet = startProcess(t, await temporaryDirectory(t), environment);
  const undisturbed = await runUndisturbed(quiet, requests);
  quiet.child.kill('SIGKILL');
  assert.deepEqual(
    undisturbed.map(({ job }) => job.stoppedAt?.reason),
    ['completed', 'early-stopping'],
  );

  const stateDir = await temporaryDirectory(t);
  const start = () => startProcess(t, stateDir, environment);
  const { stories, killedAt } = await killOften({ start, requests, undisturbed, kills: KILLS, seed: 1 });
  assert.equal(killedAt.length, KILLS);
  for (const [n, story] of stories.entries()) {
    assertSame(story, undisturbed[n]!);
    const checkpoints = story.events.filter(({ type }) => type === 'checkpoint');
    assert.ok(checkpoints.length >= 5, `only ${checkpoints.length} checkpoints`);
  }
});
