/** The threads of the service except the main one: a pool for each kind of work that must not wait for another. */

import type { Metrics } from '../../http/metrics/registry.ts';
import { createNumericWork } from '../../services/inspection/numeric-work.ts';
import type { MemoryLedger } from '../../services/memory/ledger.ts';
import type { DatasetTasks, NumericTasks, PredictTasks } from '../../workers/messages/by-pool.ts';
import { createPool } from '../../workers/threads/pool.ts';
import { createTrainingThreads } from '../../workers/training/kept-threads.ts';

/** Threads start when they are needed, which takes about 0.2 s, and end after this time without work, which frees 45 MiB. */
const ON_DEMAND = { threads: 0, ms: 60_000 };

export function buildThreads({ onRestart }: Pick<Metrics, 'onRestart'>, memory: MemoryLedger) {
  const datasetPool = () =>
    createPool<DatasetTasks>(
      new URL('../../workers/tasks/dataset.worker.ts', import.meta.url),
      1,
      () => onRestart('dataset'),
      { threads: 0 },
    );
  const numericPool = () =>
    createPool<NumericTasks>(
      new URL('../../workers/tasks/numeric.worker.ts', import.meta.url),
      1,
      () => onRestart('numeric'),
      ON_DEMAND,
    );
  const batchPool = numericPool();
  const threads = {
    /** Checks uploads. */
    checks: datasetPool(),
    /** Loads stored data sets. A separate pool, so that a training does not wait for the check of an upload. */
    loads: datasetPool(),
    /** Computes for requests. */
    numeric: createNumericWork({ short: numericPool(), long: numericPool() }, memory),
    /** Trainings compare their results and ask their teachers in it, whatever the load by requests. */
    comparisons: numericPool(),
    /** Runs prediction jobs. They take minutes, so they wait for nothing else, and nothing waits for them. */
    batches: createNumericWork({ short: batchPool, long: batchPool }, memory),
    /** Predicts for requests that are too large for the main thread. */
    predict: createPool<PredictTasks>(
      new URL('../../workers/predictions/entry.worker.ts', import.meta.url),
      1,
      () => onRestart('predict'),
      ON_DEMAND,
    ),
    /** Train. */
    trainings: createTrainingThreads(),
  };
  return {
    ...threads,
    async close() {
      await Promise.all(Object.values(threads).map((each) => each.close()));
    },
  };
}
