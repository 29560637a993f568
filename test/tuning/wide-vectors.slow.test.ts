import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { COMPARISON_FILE } from '../../src/tuning/choose-vectors.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { hasEnded, type TrainingBody, temporaryDirectory, tiny } from '../support/start-service.ts';
import { requestJson } from '../support/witness.ts';

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

async function start(t: TestContext, WIDE_VECTORS: string, stateDir?: string) {
  const service = startProcess(t, stateDir ?? (await temporaryDirectory(t)), { DATA_DIR, WIDE_VECTORS });
  return { ...service, base: await serviceAddress(service) };
}

test('wide vectors change no bit of trainings and evaluations', async (t) => {
  const off = await start(t, 'off');
  assert.doesNotMatch(off.output(), /WIDE_VECTORS/);
  const narrow = await runAll(off.base);
  assert.deepEqual(
    narrow.map(({ status }) => status),
    ['succeeded', 'succeeded'],
  );
  const on = await start(t, 'on');
  assert.match(on.output(), /WIDE_VECTORS=on: the kernel computes with vectors of 256 bits/);
  assert.deepEqual(await runAll(on.base), narrow);

  const stateDir = await temporaryDirectory(t);
  const auto = await start(t, 'auto', stateDir);
  assert.match(auto.output(), /"level":30,.*WIDE_VECTORS=auto: the kernel computes with vectors of \d+ bits/);
  assert.deepEqual(await runAll(auto.base), narrow);
  auto.child.kill();
  assert.deepEqual(await auto.exited, [0, null]);
  if (process.arch !== 'x64') return;

  // Simulates other results of this processor.
  const file = join(stateDir, COMPARISON_FILE);
  const stored = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...stored, value: { outcome: 'different', detail: 'd2' } }));
  const fallback = await start(t, 'auto', stateDir);
  assert.match(
    fallback.output(),
    /"level":40,.*vectors of 128 bits, because vectors of 256 give other results/,
  );
  assert.deepEqual(await runAll(fallback.base), narrow);
});
