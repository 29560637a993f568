/** The service: opens the state, builds the parts, and starts and closes them in order. */
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import { bootstrapKey } from '../commands/bootstrap-key.ts';
import type { Config } from '../config/read.ts';
import { type AppHost, buildApp } from '../http/app.ts';
import { valueCount } from '../numerics/network/image-shape.ts';
import { summarizeBuiltIn } from '../services/datasets/built-in.ts';
import { recordTestSplits } from '../services/datasets/test-splits.ts';
import { type ApiKeyService, createApiKeyService } from '../services/keys/in-force.ts';
import { createMemoryLedger } from '../services/memory/ledger.ts';
import { startStarterJob } from '../services/training/starter-job.ts';
import { checkKernel } from '../workers/kernel/compile.ts';
import { type Base, buildBase } from './compose/base.ts';
import { buildModels } from './compose/models.ts';
import { buildPredictions } from './compose/predictions.ts';
import { buildReports } from './compose/reports.ts';
import { buildSearches } from './compose/searches.ts';
import { buildStorage } from './compose/storage.ts';
import { buildTraining } from './compose/training.ts';
import { openState } from './state.ts';

/** Requests in flight may take this fraction of the grace period; the rest is for closing everything else. */
export const REQUESTS_FRACTION_OF_GRACE = 0.75;

/** Longest time for which a start waits for its newest model: storage can be slow, or hang. */
const WARM_UP_MS = 1000;

export type Service = Awaited<ReturnType<typeof openService>>;

/**
 * Opens the state and builds the service. Until it is started, it does nothing except that a replica renews its row in the
 * database.
 * @throws AtelierError `invalid-configuration`, `kernel-differs`, `invalid-dataset`, `state-locked`, `state-unusable`
 */
export async function openService(
  config: Config,
  log: FastifyBaseLogger,
  host: Omit<AppHost, 'logger'> = {},
) {
  checkKernel();
  const apiKeys = await createApiKeyService({ configured: config.keys, file: config.apiKeysFile, log });
  // Read before the state creates files: without the data set, the start leaves nothing behind.
  const builtIn = await summarizeBuiltIn(config, log);
  const memory = createMemoryLedger();
  const state = await openState(config, memory.jobBudget, log);
  try {
    const base = await buildBase({ config, log, memory, state, builtIn });
    return await buildService(base, apiKeys, state.close, host);
  } catch (error) {
    await state.close();
    throw error;
  }
}

async function buildService(
  base: Base,
  apiKeys: ApiKeyService,
  closeState: () => Promise<void>,
  host: Omit<AppHost, 'logger'>,
) {
  const { config, log, store, cluster, catalog, threads } = base;
  const models = buildModels(base);
  const training = buildTraining(base, models);
  const predictions = buildPredictions(base, models);
  const searches = buildSearches(base, models, training);
  const storage = buildStorage(base, searches);
  const reports = buildReports(base, models, training, searches);
  const services = {
    apiKeys,
    ...base.services,
    ...models.services,
    ...training.services,
    ...predictions.services,
    ...searches.services,
    ...storage.services,
    ...reports.services,
  };
  const app = await buildApp(services, config, { ...host, logger: log });
  const queues = [training.queue, predictions.queue];
  base.metrics.watchQueues({ training: training.queue, prediction: predictions.queue });

  async function useBootstrapKey(): Promise<void> {
    // Listens before the key is read, so that a change right after that is not missed.
    store.notices.on('keys', () => {
      store.bootstrapKeys.read().then(
        (key) => key && apiKeys.useBootstrapKey(key),
        (err) => log.warn({ err }, 'failed to read the bootstrap key'),
      );
    });
    apiKeys.useBootstrapKey(await bootstrapKey(store.bootstrapKeys, config, log));
  }

  /** Other processes may have added or removed data sets since they were listed. */
  function followDatasets(): void {
    const refresh = () => {
      catalog.refresh().catch((err) => log.warn({ err }, 'failed to list the data sets'));
    };
    store.notices.on('datasets', refresh);
    store.notices.onGap(refresh);
    refresh();
  }

  /**
   * Loads the newest model and predicts one image, so that the first request does not wait for either. A failure recurs,
   * with an error, for the request that needs the model.
   */
  async function warmUp(): Promise<void> {
    if (config.role === 'worker') return;
    const [newest] = await store.models.names(1);
    if (newest === undefined) return;
    const { forward, architecture } = await services.models.load(newest);
    const { classes, inputShape } = architecture;
    forward(new Float32Array(classes), new Float32Array(classes), new Uint8Array(valueCount(inputShape)));
  }

  return {
    app,
    /** Reads the file of API keys again. */
    reloadKeys: apiKeys.reload,
    /** Recovers interrupted jobs, records test splits, generates the bootstrap key, queues the starter job, starts running jobs, and warms up. */
    async start() {
      await app.ready();
      const warm = warmUp().catch((err) => log.warn({ err }, 'failed to load the newest model'));
      // The interrupted jobs of a shared database are found by the queues: its other jobs may run elsewhere.
      if (!cluster) {
        await store.jobs.recoverInterrupted();
        await store.predictionJobs.recoverInterrupted();
      }
      await recordTestSplits(base);
      const needsStarterJob = config.starterJob && (await store.jobs.isEmpty());
      // After everything that can make the start fail, so that a failed start does not use up the key.
      if (config.needsBootstrapKey) await useBootstrapKey();
      apiKeys.watch();
      followDatasets();
      if (needsStarterJob) await startStarterJob(services.training, log);
      for (const queue of queues) queue.start();
      searches.runner.start();
      void storage.retention.start();
      storage.webhooks.start();
      await Promise.race([warm, wait(WARM_UP_MS, undefined, { ref: false })]);
    },
    /**
     * Rejects new work, stops jobs at their checkpoints, completes requests in flight, and releases everything.
     * Closes from the outside in: each step closes what only the preceding ones used. Requests use the threads, jobs
     * and requests write events, and the job log and everything else use the state.
     */
    async close() {
      services.health.stopAccepting();
      const cut = setTimeout(
        () => {
          log.warn('closing connections whose requests took too long');
          app.server.closeAllConnections();
        },
        config.shutdownGraceSeconds * REQUESTS_FRACTION_OF_GRACE * 1000,
      );
      await searches.runner.close();
      await Promise.all(queues.map((queue) => queue.close()));
      await app.close();
      clearTimeout(cut);
      services.calibrations.close();
      await threads.close();
      await storage.retention.close();
      await storage.webhooks.close();
      apiKeys.close();
      await training.flushLog();
      await closeState();
    },
  };
}
