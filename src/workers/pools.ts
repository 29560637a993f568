/** The kinds of pools. docs/architecture.md lists the pools of a process and why each is separate. */
import { availableParallelism } from 'node:os';
import type { PredictTasks } from './predictions/entry.worker.ts';
import type { DatasetTasks } from './tasks/dataset.worker.ts';
import type { NumericTasks } from './tasks/numeric.worker.ts';
import { createPool, type Pool, type SizedPool } from './threads/pool.ts';

/** A start takes about 0.2 s, and an idle thread holds 45 MiB. */
const IDLE_MS = 60_000;
/** Long enough for the next file of a series that a client sends. */
const DATASET_IDLE_MS = 1_000;
/** Bounds the memory of idle threads on processors with many cores. */
const MAX_PREDICTION_THREADS = 4;

export type NumericPool = Pool<NumericTasks>;
export type PredictionPool = SizedPool<PredictTasks>;
export type DatasetPool = Pool<DatasetTasks>;

/** @param onLost called when the thread is lost */
export function createNumericPool(onLost = () => {}): NumericPool {
  return createPool(new URL('./tasks/numeric.worker.ts', import.meta.url), onLost, IDLE_MS);
}

/** Its threads share the images of one large body, too. */
export function createPredictionPool(onLost: () => void): PredictionPool {
  const size = Math.min(MAX_PREDICTION_THREADS, availableParallelism());
  return createPool(new URL('./predictions/entry.worker.ts', import.meta.url), onLost, IDLE_MS, size);
}

/** Its thread ends soon, because a data set is seldom checked or loaded. */
export function createDatasetPool(onLost: () => void): DatasetPool {
  return createPool(new URL('./tasks/dataset.worker.ts', import.meta.url), onLost, DATASET_IDLE_MS);
}
