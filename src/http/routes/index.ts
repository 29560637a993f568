/** Registers the routes, in the scopes that parse their bodies. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../../config/read.ts';
import { startTogether } from '../../tuning/start-together.ts';
import { registerImageBodies } from '../bodies/images.ts';
import { registerRawBodies } from '../bodies/raw.ts';
import { registerEtag } from '../conditional/etag.ts';
import { createPageCache } from '../conditional/prepared.ts';
import type { OnLimit } from '../hooks/connections/client.ts';
import { createStreamLimit, MAX_CLIENT_STREAMS } from '../hooks/connections/client-limits.ts';
import type { SlowClients } from '../hooks/connections/slow-clients.ts';
import { reserveBodyMemory } from '../hooks/overload/body-memory.ts';
import { limitLargeBodies } from '../hooks/overload/large-bodies.ts';
import { createWaitAsPreferred } from '../responses/preferred-wait.ts';
import type { Services } from '../services.ts';
import { gradientCheckRoutes } from './checks/gradients.ts';
import type { RouteContext, Routes } from './context.ts';
import { datasetRoutes } from './datasets/collection.ts';
import { datasetExportRoutes } from './datasets/exports.ts';
import { datasetImageRoutes } from './datasets/images.ts';
import { eventRoutes, JOB_EVENTS, SEARCH_EVENTS } from './events.ts';
import { trainingJobChangeRoutes } from './jobs/changes.ts';
import { trainingJobRoutes } from './jobs/collection.ts';
import { labReportRoutes } from './jobs/lab-reports.ts';
import { sgdPathRoutes, trainingResultRoutes } from './jobs/results.ts';
import { aliasRoutes } from './models/aliases.ts';
import { calibrationRoutes } from './models/calibrations.ts';
import { modelCardRoutes } from './models/cards.ts';
import { modelChangeRoutes } from './models/changes.ts';
import { modelRoutes } from './models/collection.ts';
import { evaluationRoutes } from './models/evaluations.ts';
import { explanationRoutes, weightsRoutes } from './models/explanations.ts';
import { exportRoutes } from './models/exports.ts';
import { modelImportRoutes } from './models/imports.ts';
import { healthRoutes } from './operations/health.ts';
import { pageRoutes } from './operations/page.ts';
import { storageRoutes } from './operations/storage.ts';
import { plotRoutes, searchPlotRoutes } from './plots.ts';
import { predictionJobRoutes } from './predictions/jobs.ts';
import { predictionRoutes } from './predictions/predict.ts';
import { kserveExplainRoute } from './protocols/kserve-v1.ts';
import { kserveInferRoutes } from './protocols/kserve-v2/infer.ts';
import { kserveModelRoutes } from './protocols/kserve-v2/models.ts';
import { kserveRepositoryRoutes } from './protocols/kserve-v2/repository.ts';
import { kserveServerRoutes } from './protocols/kserve-v2/server.ts';
import { mlflowRoutes } from './protocols/mlflow.ts';
import { tensorflowModelRoutes, tensorflowRoutes } from './protocols/tensorflow.ts';
import { searchRoutes } from './searches/collection.ts';

/** The routes below /v1 whose responses to GET have ETags, in the order of the API description. */
const NATIVE: readonly Routes[] = [
  datasetRoutes,
  datasetImageRoutes,
  datasetExportRoutes,
  trainingJobRoutes,
  trainingJobChangeRoutes,
  trainingResultRoutes,
  eventRoutes(JOB_EVENTS),
  sgdPathRoutes,
  searchRoutes,
  searchPlotRoutes,
  eventRoutes(SEARCH_EVENTS),
  gradientCheckRoutes,
  modelRoutes,
  modelChangeRoutes,
  aliasRoutes,
  exportRoutes,
  evaluationRoutes,
  calibrationRoutes,
  modelCardRoutes,
  predictionJobRoutes,
  weightsRoutes,
  plotRoutes,
  labReportRoutes,
];
/** Routes that share the slots for large bodies: of images or files below /v1, and of the other protocols. */
const LARGE_NATIVE: readonly Routes[] = [predictionRoutes, explanationRoutes, modelImportRoutes];
const LARGE_PROTOCOLS: readonly Routes[] = [
  kserveInferRoutes,
  kserveRepositoryRoutes,
  kserveExplainRoute,
  tensorflowRoutes,
  mlflowRoutes,
];

export async function registerRoutes(
  app: FastifyInstance,
  services: Services,
  config: Config,
  slowClients: SlowClients,
  onLimit: OnLimit,
): Promise<void> {
  // Waits and streams of events share the limit of a client.
  const countStream = createStreamLimit(MAX_CLIENT_STREAMS, onLimit);
  const context: RouteContext = {
    ...services,
    maxBodyBytes: config.maxBodyBytes,
    maxDatasetBytes: config.maxDatasetBytes,
    publicPage: config.publicPage,
    isShared: config.corsOrigins.length > 0,
    slowClients,
    onLimit,
    countStream,
    waitAsPreferred: createWaitAsPreferred({
      waitForEnd: (...wait) => services.waitForEnd(...wait),
      stopping: () => services.health.stopping,
      countStream,
    }),
    sendCached: createPageCache(() => services.models.revision()),
  };
  async function register(scope: FastifyInstance, all: readonly Routes[], prefix = ''): Promise<void> {
    for (const routes of all) await scope.register(routes, { ...context, prefix });
  }

  // The routes of every role.
  await register(app, [healthRoutes]);
  if (config.role === 'worker') return;
  await app.register(async (scope) => {
    registerEtag(scope);
    await register(scope, NATIVE, '/v1');
  });
  await register(app, [storageRoutes], '/v1');
  await register(app, [pageRoutes, kserveServerRoutes, kserveModelRoutes, tensorflowModelRoutes]);
  await app.register(async (large) => {
    limitLargeBodies(large, slowClients, onLimit);
    reserveBodyMemory(large, services.memory);
    startTogether(large);
    await large.register(async (scope) => {
      registerImageBodies(scope, config.maxBodyBytes);
      await register(scope, LARGE_NATIVE, '/v1');
    });
    await large.register(async (scope) => {
      registerRawBodies(scope);
      await register(scope, LARGE_PROTOCOLS);
    });
  });
}
