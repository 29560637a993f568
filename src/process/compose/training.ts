/** Training jobs: the queue that runs them, and the services that create, preview and log them. */
import { currentRequestId } from '../../http/hooks/lifecycle/request-context.ts';
import { openJobQueue } from '../../queue/shared-queue.ts';
import { logJobEvents } from '../../services/events/log.ts';
import { createJudge } from '../../services/models/judge.ts';
import { createPreviewTraining } from '../../services/preview/training-jobs.ts';
import { createTrainingTimes } from '../../services/preview/training-times.ts';
import { createJobAdmission } from '../../services/queueing/admission.ts';
import { createJobPlacement } from '../../services/queueing/placement.ts';
import { createJobPreemption } from '../../services/queueing/preemption.ts';
import { createJobRequirement } from '../../services/queueing/requirement.ts';
import { createRunTrainingJob } from '../../services/runs/training-job.ts';
import { createTrainingService } from '../../services/training/jobs.ts';
import { createResolveTraining } from '../../services/training/resolve-request.ts';
import { assertWebhookAllowed } from '../../services/webhooks/origins.ts';
import type { Base } from './base.ts';
import type { Models } from './models.ts';

export type Training = ReturnType<typeof buildTraining>;

export function buildTraining(base: Base, models: Models) {
  const { config, log, store, catalog, memory, metrics, threads, waits, capacity } = base;
  const slots = () => capacity().slots;
  const flushLog = logJobEvents({
    events: store.events,
    catalog,
    log,
    meter: metrics.jobs,
    currentRequestId,
    onRestart: () => metrics.onRestart('training'),
  });
  const queue = buildQueue(base, models);
  memory.onFreed(queue.notify);
  const resolve = createResolveTraining({
    catalog,
    models: models.services.models,
    memory,
    keepCheckpoints: config.keepCheckpoints,
    assertWebhookAllowed: (notify) => assertWebhookAllowed(notify, config.webhookOrigins),
  });
  const predictTime = createTrainingTimes({
    ...store,
    numeric: threads.numeric,
    hasTargets: models.hasTargets,
  });
  return {
    queue,
    resolve,
    predictTime,
    flushLog,
    services: {
      training: createTrainingService({
        store,
        catalog,
        models: models.services.models,
        queue,
        resolve,
        waits,
        queueLimit: config.queueLimit,
        slots,
      }),
      previewTraining: createPreviewTraining({
        resolve,
        predictTime,
        jobs: store.jobs,
        catalog,
        memory,
        queueLimit: config.queueLimit,
        capacity,
      }),
    },
  };
}

function buildQueue(base: Base, { services: { models }, loadDistillation, onPublished }: Models) {
  const { config, log, store, cluster, catalog, memory, threads, waits } = base;
  const { jobs } = store;
  const placement = cluster && createJobPlacement({ ...cluster, jobs, catalog });
  const readRequirement = createJobRequirement({ jobs, catalog, memory });
  const options = {
    next: jobs.nextQueued,
    claim: cluster?.tickets.claim,
    isLeft: placement?.isLeft,
    admit: createJobAdmission({ jobs, catalog, memory, readRequirement, ...placement }),
    onEmpty: memory.stopWaiting,
    preempt: createJobPreemption({ jobs, memory, readRequirement, ...placement }),
    runJob: createRunTrainingJob({
      store,
      catalog,
      models,
      memory,
      threads: threads.trainings,
      waits,
      judge: createJudge(models, jobs, threads.comparisons),
      loadDistillation,
      onPublished,
      log,
      ...(cluster && { runner: cluster.replicas.id }),
    }),
    slots: cluster?.slots ?? config.trainingWorkers,
    onDefect: (jobId: string, err: unknown) => log.error({ jobId, err }, 'failed to run a job'),
  };
  const { notices } = store;
  return openJobQueue(options, cluster && { ...cluster, table: 'jobs', notices, recover: jobs.recoverOne });
}
