/** Predictions: for requests, and jobs that predict the images of a file. */
import { observePredictions } from '../../http/metrics/predictions.ts';
import { openJobQueue } from '../../queue/shared-queue.ts';
import { createInferenceStatistics } from '../../services/predictions/inference-statistics.ts';
import { createPredictionJobService } from '../../services/predictions/jobs.ts';
import { createPredictionService } from '../../services/predictions/predict.ts';
import { createRunPredictionJob } from '../../services/runs/prediction-job.ts';
import { createWaits } from '../../services/runs/waits.ts';
import type { Base } from './base.ts';
import type { Models } from './models.ts';

export function buildPredictions(
  base: Base,
  { services: { models, calibrations }, loadStatistics, prepareImages }: Models,
) {
  const { config, log, store, cluster, catalog, memory, metrics, threads } = base;
  const { predict, numeric, checks, batches } = threads;
  const waits = createWaits('memory');
  const { nextQueued, recoverOne } = store.predictionJobs;
  const queue = openJobQueue(
    {
      next: nextQueued,
      runJob: createRunPredictionJob({
        store,
        catalog,
        models,
        calibrations,
        pool: batches,
        waits,
        storageWaits: base.waits,
        log,
        onJudged: metrics.predictions.onJudged,
        runner: cluster?.replicas.id,
      }),
      // Each process that runs jobs runs one at a time.
      slots: cluster?.slots === 0 ? 0 : 1,
      onDefect: (jobId, err) => log.error({ jobId, err }, 'failed to run a job'),
    },
    cluster && { ...cluster, table: 'prediction_jobs', recover: recoverOne },
  );
  const statistics = createInferenceStatistics();
  const observer = observePredictions(metrics.predictions, statistics);
  return {
    queue,
    services: {
      statistics,
      predictions: createPredictionService(
        models,
        predict,
        loadStatistics,
        calibrations,
        prepareImages,
        observer,
      ),
      predictionJobs: createPredictionJobService({
        store,
        catalog,
        models,
        calibrations,
        queue,
        waits,
        memory,
        checks,
        numeric,
        queueLimit: config.queueLimit,
        maxBytes: config.maxDatasetBytes,
      }),
    },
  };
}
