import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../src/domain/training-job.ts';
import { serviceAddress, startProcess, untilServedJob } from './start-process.ts';
import { hasEnded, type TrainingBody, temporaryDirectory, tiny } from './start-service.ts';
import { requestJson } from './witness.ts';

/** A thousand steps, so that both compilers of V8 compile the narrow kernel, and the optimizing one the wide kernel. */
const steps = { epochs: 3, batchSize: 32, validation: { fraction: 0.8 } };
/** Layers of an even and an odd number of vectors, and with units that do not fill a vector. */
const JOBS: readonly TrainingBody[] = [
  tiny({ network: { hidden: [40] }, training: steps }),
  tiny({
    network: { hidden: [52, 23], activation: 'tanh' },
    training: {
      ...steps,
      threads: 2,
      dropout: 0.2,
      standardize: true,
      clipNorm: 1,
      optimizer: { type: 'adamw' },
      augmentation: { horizontalFlip: true, shift: 1, noise: 0.05 },
    },
  }),
];

const outcome = ({ status, error, digest, latest }: TrainingJob) => ({
  status,
  error,
  digest,
  measured: { ...latest, durationMs: 0, evaluationMs: 0 },
});

async function run(base: string, body: TrainingBody) {
  const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, 202, body);
  return outcome(await untilServedJob(base, id, hasEnded));
}

async function runAll(base: string) {
  const ended = [];
  for (const job of JOBS) ended.push(await run(base, job));
  return ended;
}

test('wide vectors change no bit of trainings and evaluations', async (t) => {
  const start = async (WIDE_VECTORS: string) => {
    const service = startProcess(t, await temporaryDirectory(t), { WIDE_VECTORS });
    const base = await serviceAddress(service);
    assert.equal(service.output().includes('vectors of 256 bits'), WIDE_VECTORS === 'on');
    return base;
  };
  const narrow = await runAll(await start('off'));
  assert.deepEqual(
    narrow.map(({ status }) => status),
    ['succeeded', 'succeeded'],
  );
  assert.deepEqual(await runAll(await start('on')), narrow);
});
