/** The threads of the service except the main one: a pool for each kind of work that must not wait for another. */

import type { Metrics } from '../../http/metrics/registry.ts';
import { createNumericWork } from '../../services/inspection/numeric-work.ts';
import type { MemoryLedger } from '../../services/memory/ledger.ts';
import { createDatasetPool, createNumericPool, createPredictionPool } from '../../workers/pools.ts';
import { createTrainingThreads } from '../../workers/training/kept-threads.ts';

export function buildThreads({ onRestart }: Pick<Metrics, 'onRestart'>, memory: MemoryLedger) {
  const datasetPool = () => createDatasetPool(() => onRestart('dataset'));
  const numericPool = () => createNumericPool(() => onRestart('numeric'));
  const batchPool = numericPool();
  const longCheckPool = numericPool();
  const threads = {
    /** Checks uploads. */
    checks: datasetPool(),
    /** Loads stored data sets. A separate pool, so that a training does not wait for the check of an upload. */
    loads: datasetPool(),
    /** Computes for requests. */
    numeric: createNumericWork({ short: numericPool(), long: numericPool() }, memory),
    /** Checks gradients in the background. A check takes up to an hour, so it delays no other task. */
    longChecks: createNumericWork({ short: longCheckPool, long: longCheckPool }, memory),
    /** Trainings compare their results and ask their teachers in it, whatever the load by requests. */
    comparisons: numericPool(),
    /** Runs prediction jobs. They take minutes, so they neither wait for other tasks nor delay them. */
    batches: createNumericWork({ short: batchPool, long: batchPool }, memory),
    /** Predicts for requests that are too large for the main thread. */
    predict: createPredictionPool(() => onRestart('predict')),
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
