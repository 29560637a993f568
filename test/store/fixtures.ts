/** A temporary store, and records to put into it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { datasetReportSchema } from '../../src/domain/datasets/report.ts';
import type { EpochRecord, Progress } from '../../src/domain/jobs/epoch-record.ts';
import { type ResolvedTrainingRequest, trainingRequestSchema } from '../../src/domain/jobs/request.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Calibration } from '../../src/domain/models/calibration.ts';
import { AtelierError, type ErrorCode } from '../../src/errors.ts';
import type { NewDataset } from '../../src/store/datasets/repository.ts';
import type { IdempotencyRecord } from '../../src/store/idempotency.ts';
import type { NewVersion, Run, Store } from '../../src/store/persistent-state.ts';
import { openPostgresStore } from '../../src/store/postgres/open.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { giveDatabaseBack, isOnPostgres, takeDatabase } from './store-test.ts';

export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'atelier-store-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Files below the directory that this process has open. */
export function openFiles(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return []; // the descriptor that listed the others
    }
  });
}

/** A store, and a connection to its database behind its back. Both are closed when the test ends. */
export async function openWithConnection(t: TestContext): Promise<{ store: Store; raw: DatabaseSync }> {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'), { timeout: 5000 });
  t.after(async () => {
    raw.close();
    await store.close();
  });
  return { store, raw };
}

/** Opens a store that is closed and removed when the test ends; on PostgreSQL if the test was declared for it. */
export async function temporaryStore(t: TestContext): Promise<Store> {
  const url = isOnPostgres(t) ? await takeDatabase() : undefined;
  const directory = await mkdtemp(join(tmpdir(), 'atelier-store-'));
  const store = await (url === undefined ? openStore(directory) : openPostgresStore({ url, directory }));
  t.after(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
    if (url !== undefined) await giveDatabaseBack(url);
  });
  return store;
}

export function request(modelName = 'fashion-mnist'): ResolvedTrainingRequest {
  const training = { validation: { fraction: 0.1 } };
  const sent = { dataset: 'fashion-mnist', seed: 7, metadata: { who: 'a test' }, training };
  return { ...trainingRequestSchema.parse(sent), modelName };
}

export const untouched: Progress = {
  epoch: 0,
  epochs: 10,
  step: 0,
  steps: 8440,
  fraction: 0,
  imagesPerSecond: null,
  etaSeconds: null,
};

export const underway: Progress = {
  ...untouched,
  epoch: 2,
  step: 844,
  fraction: 0.1,
  imagesPerSecond: 51234.5,
  etaSeconds: 9.25,
};

export function epochRecord(epoch: number, validationLoss: number | null, trainLoss = 0.5): EpochRecord {
  return {
    epoch,
    trainLoss,
    trainAccuracy: 0.8125,
    validationLoss,
    validationAccuracy: validationLoss === null ? null : 0.75,
    testLoss: 0.4,
    testAccuracy: 0.85,
    learningRate: 0.1,
    gradientNorm: 1.5e-3,
    weightNorm: 12.25,
    deadUnits: [0.025],
    durationMs: 1201.5,
    evaluationMs: 80,
  };
}

export const trained: NewVersion = {
  datasetId: 'fashion-mnist',
  datasetDigest: `sha256:${'d'.repeat(64)}`,
  inputShape: [28, 28],
  convolutions: [],
  norm: 'none',
  layerSizes: [784, 40, 10],
  activation: 'relu',
  preprocessing: { fit: 'cover', background: 'auto', invert: 'always' },
  standardization: { mean: 0.25, std: 0.5 },
  fused: true,
  classNames: ['T-shirt/top', 'Trouser'],
  engine: 'reference',
  testAccuracy: 0.8711,
  digest: `sha256:${'a'.repeat(64)}`,
};

const noDuplicates = { images: 0, withOtherLabel: 0, first: [] };
const split = { examples: 2, examplesPerClass: [1, 1] };

/** A data set of two images per split, for `addDataset`. */
export function newDataset(id: string, name: string | null = null, bytes = 'tensors'): NewDataset {
  return {
    id,
    name,
    imageShape: [16, 20, 3],
    classNames: ['cat', 'dog'],
    splits: { train: split, test: split },
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    testDigest: `sha256:${createHash('sha256').update(`test split of ${bytes}`).digest('hex')}`,
    preprocessing: { fit: 'contain', background: 'white', invert: 'never' },
    report: datasetReportSchema.parse({
      arrays: [],
      pixels: { range: '0-255', rounded: 0 },
      heldOut: null,
      duplicates: { train: noDuplicates, test: noDuplicates, across: noDuplicates },
      constantImages: { train: 0, test: 0 },
      warnings: [{ code: 'constant-images', message: 'one' }],
    }),
  };
}

/** Stores a data set whose file holds `bytes`. */
export async function addDataset(
  { datasets }: Store,
  id: string,
  bytes = 'tensors',
  name: string | null = null,
) {
  const file = datasets.newFile();
  await writeFile(file, bytes);
  return datasets.add(file, newDataset(id, name, bytes));
}

/** Path of the file of a data set that `addDataset` stored. */
export function datasetFile({ datasets }: Store, id: string): Promise<string> {
  return datasets.withFile(newDataset(id), async (path) => path);
}

/** An idempotency record whose stored response is the id of the job. */
export function idempotencyRecord(
  key: string,
  changes: Partial<IdempotencyRecord<TrainingJob>> = {},
): IdempotencyRecord<TrainingJob> {
  return {
    caller: 'anonymous',
    key,
    fingerprint: 'f'.repeat(64),
    at: new Date(),
    render: ({ id }) => ({ status: 202, location: `/jobs/${id}`, contentType: 'text/plain', body: id }),
    ...changes,
  };
}

/** Predicate for assert.rejects: an AtelierError with this code, whose message contains these words. */
export function failure(code: ErrorCode, ...words: string[]): (error: unknown) => boolean {
  return (error) =>
    error instanceof AtelierError &&
    error.code === code &&
    words.every((word) => error.message.includes(word));
}

const runs = new Map<string, Run>();

/** Starts a job, whose run `runOf` then returns. */
export async function startRun(store: Store, id: string): Promise<Run> {
  const run = await store.jobs.start(id);
  assert.ok(run, 'the row of the job is readable');
  runs.set(id, run);
  return run;
}

/** The run that `startRun` or `newJob` started last. */
export function runOf(id: string): Run {
  const run = runs.get(id);
  assert.ok(run, `job ${id} was never started`);
  return run;
}

/** Creates a job with the given status and returns its id. */
export async function newJob(
  store: Store,
  status: 'queued' | 'running' | 'cancelling' = 'queued',
  modelName?: string,
): Promise<string> {
  const { id } = await store.jobs.create(request(modelName), untouched);
  if (status !== 'queued') await startRun(store, id);
  if (status === 'cancelling') await store.jobs.requestCancel(id);
  return id;
}

/** Publishes one version the way a training job does. */
export async function publish(
  store: Store,
  modelName: string,
  changes: Partial<ResolvedTrainingRequest> = {},
  model: Partial<NewVersion> = {},
): Promise<void> {
  const { id } = await store.jobs.create({ ...request(modelName), ...changes }, untouched);
  const run = await startRun(store, id);
  const result = { ...trained, ...model };
  await run.finish({ status: 'succeeded', step: 8440, reason: 'completed', model: result });
}

const calibration: Omit<Calibration, 'digest'> = {
  dataset: 'fashion-mnist',
  split: 'validation',
  images: 5000,
  trainingImages: 10_000,
  reused: false,
  temperature: 1.25,
  loss: { before: 0.5, after: 0.45 },
  expectedCalibrationError: { before: 0.05, after: 0.01 },
  warning: null,
};

/** Calibrates a version. @returns the digest of its arrays */
export async function calibrate(
  store: Store,
  name: string,
  version: number,
  arrays: string,
): Promise<string> {
  const stored = await store.models.version(name, version);
  const calibrated = await store.models.calibrate(stored!, calibration, Buffer.from(arrays));
  return calibrated!.calibration!.digest;
}
