/** Composition root: builds everything, starts nothing. Only this file imports all layers. */
import type { FastifyBaseLogger, FastifyInstance, FastifyServerFactory } from 'fastify';
import { bootstrapKey } from '../commands/bootstrap-key.ts';
import type { Config } from '../config/read.ts';
import { createCatalog } from '../datasets/catalog.ts';
import { loadFashionMnist } from '../datasets/fashion-mnist.ts';
import { buildApp } from '../http/app.ts';
import { currentRequestId } from '../http/hooks/lifecycle/request-context.ts';
import { createMetrics } from '../http/metrics/registry.ts';
import { createLocalQueue } from '../queue/local-queue.ts';
import { startPredictionQueue } from '../queue/prediction-queue.ts';
import { startSharedQueue } from '../queue/shared-queue.ts';
import { createUploadedDatasetService } from '../services/datasets/uploads.ts';
import { logJobEvents } from '../services/events/log.ts';
import { createEventSubscriptions, createSearchSubscriptions } from '../services/events/subscribe.ts';
import { createWaitForEnd } from '../services/events/wait-for-end.ts';
import { createEvaluationService } from '../services/inspection/evaluations.ts';
import { createGradientCheckService } from '../services/inspection/gradient-checks.ts';
import { createInterpretabilityService } from '../services/inspection/interpretability.ts';
import { createNumericWork } from '../services/inspection/numeric-work.ts';
import { createPlotService } from '../services/inspection/plots.ts';
import { createSgdPathService } from '../services/inspection/sgd-paths.ts';
import { createStatisticsCache } from '../services/inspection/statistics-cache.ts';
import { createApiKeyService } from '../services/keys/in-force.ts';
import { createMemoryLedger } from '../services/memory/ledger.ts';
import { admitDataset } from '../services/memory/limits.ts';
import { createModelCache } from '../services/models/cache.ts';
import { createModelService } from '../services/models/catalog.ts';
import { createExportService } from '../services/models/exports.ts';
import { createImportService } from '../services/models/imports.ts';
import { createJudge } from '../services/models/judge.ts';
import { createModelRegistryService } from '../services/models/registry.ts';
import { createTestSetService } from '../services/models/test-sets.ts';
import { createHealthService } from '../services/operations/health.ts';
import { createIdempotencyService } from '../services/operations/idempotency.ts';
import { createRetentionService } from '../services/operations/retention.ts';
import { createStorageService } from '../services/operations/storage.ts';
import { createEncodedJsonReader } from '../services/predictions/encoded-json.ts';
import { createImageDecoder } from '../services/predictions/image-decoder.ts';
import { createInferenceStatistics } from '../services/predictions/inference-statistics.ts';
import { createPredictionJobService } from '../services/predictions/jobs.ts';
import { createPredictionService } from '../services/predictions/predict.ts';
import { createRunPredictions } from '../services/predictions/run-jobs.ts';
import { createPreviewTraining } from '../services/preview/training-jobs.ts';
import { createTrainingTimes } from '../services/preview/training-times.ts';
import { createJobAdmission } from '../services/queueing/admission.ts';
import { createMemoryWaits } from '../services/queueing/memory-waits.ts';
import { createJobPlacement } from '../services/queueing/placement.ts';
import { createJobPreemption } from '../services/queueing/preemption.ts';
import { createJobRequirement } from '../services/queueing/requirement.ts';
import { createStorageWaits } from '../services/queueing/storage-waits.ts';
import { createLabReportService } from '../services/reports/collect.ts';
import { createModelCardService } from '../services/reports/model-cards.ts';
import { createReportPictures } from '../services/reports/pictures.ts';
import { createSearchService } from '../services/searches/lifecycle.ts';
import { createSearchRunner } from '../services/searches/runner.ts';
import { createTrainingService } from '../services/training/jobs.ts';
import { createResolveTraining } from '../services/training/resolve-request.ts';
import { createRunTraining } from '../services/training/start-runs.ts';
import { startStarterJob } from '../services/training/starter-job.ts';
import { createLoadDistillation } from '../services/training/teachers.ts';
import { toBlockList } from '../services/webhooks/addresses.ts';
import { createWebhookDelivery } from '../services/webhooks/deliver.ts';
import { assertWebhookAllowed } from '../services/webhooks/origins.ts';
import { createStateSizes } from '../store/blobs/sizes.ts';
import { kernelDigest } from '../workers/kernel/bytes.ts';
import { checkKernel, KERNEL_NAME, warmUpForward } from '../workers/kernel/compile.ts';
import type { DatasetTasks, NumericTasks, PredictTasks } from '../workers/messages/by-pool.ts';
import { createPool } from '../workers/threads/pool.ts';
import { createTrainingThreads } from '../workers/training/kept-threads.ts';
import { openState } from './state.ts';

/** Requests in flight may take this fraction of the grace period; the rest is for closing everything else. */
export const REQUESTS_FRACTION_OF_GRACE = 0.75;

/** Threads start when they are needed, which takes about 0.2 s, and end after this time without work, which frees 45 MiB. */
const ON_DEMAND = { threads: 0, ms: 60_000 };

export interface Atelier {
  readonly app: FastifyInstance;
  /** Recovers interrupted jobs, generates the bootstrap key, queues the starter job, and starts running jobs. */
  start(): Promise<void>;
  /** Call it once the service listens. */
  warmUp(): void;
  /** Reads the file of API keys again. */
  reloadKeys(): Promise<void>;
  /** Rejects new work, stops jobs at their checkpoints, completes requests in flight, and releases everything. */
  close(): Promise<void>;
}

/**
 * @param serverFactory returns a server that is bound already, which `app.listen` takes over
 * @throws AtelierError `invalid-configuration`, `kernel-differs`, `invalid-dataset`, `state-locked`, `state-unusable`
 */
export async function compose(
  config: Config,
  log: FastifyBaseLogger,
  serverFactory?: FastifyServerFactory,
): Promise<Atelier> {
  checkKernel();
  const apiKeys = await createApiKeyService({ configured: config.keys, file: config.apiKeysFile, log });
  // Before the store, which creates files: without the data set, the start leaves nothing behind.
  const builtIn = config.dataDir === null ? [] : [await loadFashionMnist(config.dataDir)];
  const memory = createMemoryLedger();
  const { store, cluster } = await openState(config, memory.jobBudget, log);
  let closeQueue = cluster?.boss.close;
  try {
    const modelCache = createModelCache();
    const waits = createStorageWaits();
    const readStateSizes = createStateSizes(config.stateDir);
    const metrics = createMetrics({
      kernel: { name: KERNEL_NAME, digest: kernelDigest() },
      modelCache: modelCache.counts,
      queueLimit: config.queueLimit,
      waitingForStorage: waits.count,
      readStateSizes,
      readJobs: store.readJobGauges,
      slots: () => slots(),
      replicas: store.replicas && (() => store.replicas!.live().length),
      noticeMode: store.notices.mode,
    });
    const datasetPool = () =>
      createPool<DatasetTasks>(
        new URL('../workers/tasks/dataset.worker.ts', import.meta.url),
        1,
        () => metrics.onRestart('dataset'),
        { threads: 0 },
      );
    const checks = datasetPool();
    // A separate pool, so that a training does not wait for the validation of an upload.
    const loads = datasetPool();
    const catalog = createCatalog(builtIn, {
      summaries: await store.datasets.list(),
      list: store.replicas && store.datasets.list,
      load: (dataset) =>
        store.datasets.withFile(dataset, (path) => loads.run('loadDataset', { path, dataset })),
      admit: (dataset) => admitDataset(memory, dataset),
      maxBytes: config.maxDatasetBytes,
    });
    const refreshCatalog = () => {
      catalog.refresh().catch((error) => log.warn({ err: error }, 'failed to list the data sets'));
    };
    store.notices.on('datasets', refreshCatalog);
    store.notices.onGap(refreshCatalog);
    /** Another process may have replaced the key. */
    const readBootstrapKey = () => {
      store.bootstrapKeys.read().then(
        (key) => key && apiKeys.useBootstrapKey(key),
        (error) => log.warn({ err: error }, 'failed to read the bootstrap key'),
      );
    };
    memory.addCache(catalog.cache);
    memory.addCache(modelCache);
    const trainingThreads = createTrainingThreads();
    memory.addCache(trainingThreads);
    const flushJobLog = logJobEvents({
      events: store.events,
      catalog,
      log,
      meter: metrics.jobs,
      currentRequestId,
      onRestart: () => metrics.onRestart('training'),
    });
    const numericPool = () =>
      createPool<NumericTasks>(
        new URL('../workers/tasks/numeric.worker.ts', import.meta.url),
        1,
        () => metrics.onRestart('numeric'),
        ON_DEMAND,
      );
    const numeric = createNumericWork({ short: numericPool(), long: numericPool() }, memory);
    // Trainings compare their results and ask their teachers in it, whatever the load by requests.
    const comparisons = numericPool();
    // Prediction jobs take minutes, so they wait for nothing else, and nothing waits for them.
    const batchPool = numericPool();
    const batches = createNumericWork({ short: batchPool, long: batchPool }, memory);
    const predict = createPool<PredictTasks>(
      new URL('../workers/predictions/entry.worker.ts', import.meta.url),
      1,
      () => metrics.onRestart('predict'),
      ON_DEMAND,
    );

    const models = createModelService(store, catalog, modelCache);
    const loadDistillation = createLoadDistillation(models, comparisons);
    const placement = cluster && createJobPlacement({ ...cluster, jobs: store.jobs, catalog });
    const slots = () => placement?.slots() ?? config.trainingWorkers;
    const readRequirement = createJobRequirement({ jobs: store.jobs, catalog, memory });
    const work = {
      admit: createJobAdmission({
        jobs: store.jobs,
        catalog,
        memory,
        readRequirement,
        ...(placement && { hasPeerFor: placement.hasPeerFor }),
      }),
      preempt: createJobPreemption({
        jobs: store.jobs,
        memory,
        readRequirement,
        ...(placement && { peersFor: placement.peersFor }),
      }),
      runJob: createRunTraining({
        store,
        catalog,
        models,
        memory,
        threads: trainingThreads,
        waits,
        judge: createJudge(models, store.jobs, comparisons),
        loadDistillation,
        log,
        ...(cluster && { runner: cluster.replicas.id }),
      }),
      onDefect: (jobId: string, error: unknown) => log.error({ jobId, err: error }, 'failed to run a job'),
    };
    const queue = cluster
      ? startSharedQueue({
          ...cluster,
          ...work,
          notices: store.notices,
          isLeft: placement!.isLeft,
          recover: store.jobs.recoverOne,
        })
      : createLocalQueue({ ...work, nextQueued: store.jobs.nextQueued, slots: config.trainingWorkers });
    closeQueue = queue.close;
    memory.onFreed(queue.notify);
    const memoryWaits = createMemoryWaits();
    const predictionQueue = startPredictionQueue({
      jobs: store.predictionJobs,
      cluster: cluster ?? undefined,
      runJob: createRunPredictions({
        store,
        catalog,
        models,
        pool: batches,
        waits: memoryWaits,
        log,
        runner: cluster?.replicas.id,
      }),
      onDefect: work.onDefect,
    });
    const resolveTraining = createResolveTraining({
      catalog,
      models,
      memory,
      keepCheckpoints: config.keepCheckpoints,
      assertWebhookAllowed: (notify) => assertWebhookAllowed(notify, config.webhookOrigins),
    });
    const training = createTrainingService({
      store,
      catalog,
      models,
      queue,
      resolve: resolveTraining,
      waits,
      queueLimit: config.queueLimit,
      slots,
    });
    const webhooks = createWebhookDelivery({
      store,
      origins: config.webhookOrigins,
      allowed: toBlockList(config.webhookPrivateRanges),
      onResult: metrics.onWebhook,
      log,
      onDefect: (error) => log.error({ err: error }, 'failed to read or write the outbox of webhooks'),
    });
    const searchRunner = createSearchRunner({
      store,
      catalog,
      queue,
      keepCheckpoints: config.keepCheckpoints,
      slots,
      log,
    });
    const predictTime = createTrainingTimes({ ...store, numeric });
    const searches = createSearchService({
      store,
      catalog,
      resolve: resolveTraining,
      models,
      runner: searchRunner,
      predictTime,
      slots,
    });
    const idempotency = createIdempotencyService({
      store,
      onDefect: (error) => log.error({ err: error }, 'failed to delete expired idempotency records'),
    });
    const retention = createRetentionService({
      retention: store.retention,
      tasks: [...store.hourlyTasks, searches.finishDeletions],
      removeSearches: searches.removeEnded,
      keepEventsDays: config.keepEventsDays,
      keepCheckpointsDays: config.keepCheckpointsDays,
      keepJobsDays: config.keepJobsDays,
      onDefect: (error) => log.error({ err: error }, 'failed to delete what is no longer kept'),
    });
    const health = createHealthService(store, catalog, {
      needsDatabase: cluster === null,
      needsDataset: builtIn.length > 0,
      waits,
      onUnusable(error) {
        if (cluster)
          log.warn({ err: error }, 'the database is unavailable: only models in memory are served');
        else log.error({ err: error }, 'the service is not ready: the database is unusable');
      },
    });
    const { rateLeases } = store;
    const loadStatistics = createStatisticsCache(catalog, numeric);
    const statistics = createInferenceStatistics();
    const decodeFiles = createImageDecoder(memory, config.maxImagePixels);
    const evaluations = createEvaluationService(catalog, models, numeric, store.looks);
    const testSets = createTestSetService(store, catalog);
    const sgdPaths = createSgdPathService(catalog, models, numeric, loadDistillation);
    const gradients = createGradientCheckService(catalog, models, numeric, metrics.onGradientCheck);
    const interpretability = createInterpretabilityService(
      models,
      numeric,
      loadStatistics,
      metrics.onDiagnosed,
    );
    const app = await buildApp(
      {
        apiKeys,
        catalog,
        uploads: createUploadedDatasetService({
          datasets: store.datasets,
          catalog,
          checks,
          maxDatasetBytes: config.maxDatasetBytes,
          maxImagePixels: config.maxImagePixels,
          memory,
        }),
        training,
        previewTraining: createPreviewTraining({
          resolve: resolveTraining,
          predictTime,
          jobs: store.jobs,
          catalog,
          memory,
          queueLimit: config.queueLimit,
          capacity: () => ({ slots: slots(), jobBytes: placement?.jobBytes() ?? memory.jobBudget }),
        }),
        searches,
        subscribeEvents: createEventSubscriptions(store),
        subscribeSearchEvents: createSearchSubscriptions(store),
        waitForEnd: createWaitForEnd(store),
        idempotency,
        models,
        registry: createModelRegistryService(store, models, metrics.predictions.forget),
        health,
        metrics,
        storage: createStorageService({ readStateSizes, measureDatabase: store.measureDatabase }),
        memory,
        ...(rateLeases &&
          cluster && {
            rateLeases: { leases: rateLeases, replicas: () => cluster.replicas.live().length },
          }),
        gradients,
        statistics,
        decodeFiles,
        readEncodedJson: createEncodedJsonReader(predict),
        predictions: createPredictionService(models, predict, loadStatistics, decodeFiles, {
          onPredicted(model, images, ms, tally) {
            metrics.predictions.onPredicted(model, images, ms, tally);
            statistics.onPredicted(model, images, ms, tally);
          },
          onFailed: statistics.onFailed,
        }),
        predictionJobs: createPredictionJobService({
          store,
          catalog,
          models,
          queue: predictionQueue,
          waits: memoryWaits,
          memory,
          checks,
          numeric,
          queueLimit: config.queueLimit,
          maxBytes: config.maxDatasetBytes,
        }),
        exports: createExportService(catalog, models, numeric, store.temporaryFiles),
        imports: createImportService({ store, catalog, models, numeric }),
        evaluations,
        plots: createPlotService(training, evaluations, sgdPaths, numeric),
        testSets,
        cards: createModelCardService({ store, catalog, models, evaluations, testSets }),
        sgdPaths,
        interpretability,
        labReports: createLabReportService({
          store,
          catalog,
          models,
          gradients,
          evaluations,
          paths: sgdPaths,
          testSets,
          searches,
        }),
        drawReportPictures: createReportPictures(catalog, interpretability),
      },
      config,
      log,
      serverFactory,
    );

    return {
      app,
      warmUp: warmUpForward,
      reloadKeys: apiKeys.reload,
      async start() {
        await app.ready();
        // The interrupted jobs of a shared database are found by the reapers: its other jobs may run elsewhere.
        if (!cluster) {
          await store.jobs.recoverInterrupted();
          await store.predictionJobs.recoverInterrupted();
        }
        const needsStarterJob = config.starterJob && (await store.jobs.isEmpty());
        // After everything that can make the start fail, so that a failed start does not use up the key.
        if (config.needsBootstrapKey) {
          // Before the key is read, so that a change right after that is not missed.
          store.notices.on('keys', readBootstrapKey);
          apiKeys.useBootstrapKey(await bootstrapKey(store.bootstrapKeys, config, log));
        }
        apiKeys.watch();
        if (needsStarterJob) await startStarterJob(training, log);
        queue.notify();
        predictionQueue.notify();
        searchRunner.start();
        refreshCatalog();
        void retention.start();
        webhooks.start();
      },
      /**
       * Closes from the outside in: each step closes what only the preceding ones used. Requests use the pools, jobs
       * and requests write events, and the job log and everything else use the store.
       */
      async close() {
        health.stopAccepting();
        const cut = setTimeout(
          () => {
            log.warn('closing connections whose requests took too long');
            app.server.closeAllConnections();
          },
          config.shutdownGraceSeconds * REQUESTS_FRACTION_OF_GRACE * 1000,
        );
        await searchRunner.close();
        await Promise.all([queue.close(), predictionQueue.close()]);
        await app.close();
        clearTimeout(cut);
        await Promise.all([
          trainingThreads.close(),
          numeric.close(),
          comparisons.close(),
          batches.close(),
          predict.close(),
          checks.close(),
          loads.close(),
        ]);
        idempotency.close();
        await retention.close();
        await webhooks.close();
        apiKeys.close();
        await flushJobLog();
        await store.close();
      },
    };
  } catch (error) {
    await closeQueue?.();
    await store.close();
    throw error;
  }
}
