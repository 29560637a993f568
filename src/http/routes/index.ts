/** Registers the routes, in the scopes that parse their bodies. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../../config/read.ts';
import type { SubscribeEvents } from '../../services/events/subscribe.ts';
import { startTogether } from '../../tuning/start-together.ts';
import { registerImageBodies } from '../bodies/images.ts';
import { registerRawBodies } from '../bodies/raw.ts';
import { createPageCache } from '../conditional/prepared.ts';
import type { OnLimit } from '../hooks/connections/client.ts';
import { createStreamLimit, MAX_CLIENT_STREAMS } from '../hooks/connections/client-limits.ts';
import type { SlowClients } from '../hooks/connections/slow-clients.ts';
import { reserveBodyMemory } from '../hooks/overload/body-memory.ts';
import { limitLargeBodies } from '../hooks/overload/large-bodies.ts';
import { createWaitAsPreferred } from '../responses/preferred-wait.ts';
import type { Services } from '../services.ts';
import { gradientCheckRoutes } from './checks/gradients.ts';
import { datasetRoutes, datasetWriteRoutes } from './datasets/collection.ts';
import { datasetImageRoutes } from './datasets/images.ts';
import { eventRoutes, JOB_EVENTS, SEARCH_EVENTS } from './events.ts';
import { trainingJobChangeRoutes } from './jobs/changes.ts';
import { trainingJobRoutes } from './jobs/collection.ts';
import { labReportRoutes } from './jobs/lab-reports.ts';
import { plotRoutes } from './jobs/plots.ts';
import { trainingResultRoutes } from './jobs/results.ts';
import { sgdPathRoutes } from './jobs/sgd-paths.ts';
import { aliasRoutes } from './models/aliases.ts';
import { modelCardRoutes } from './models/cards.ts';
import { modelChangeRoutes } from './models/changes.ts';
import { modelRoutes } from './models/collection.ts';
import { evaluationRoutes } from './models/evaluations.ts';
import { explanationRoutes } from './models/explanations.ts';
import { exportRoutes } from './models/exports.ts';
import { modelImportRoutes } from './models/imports.ts';
import { weightsRoutes } from './models/weights.ts';
import { healthRoutes } from './operations/health.ts';
import { metricsRoutes } from './operations/metrics.ts';
import { pageRoutes } from './operations/page.ts';
import { storageRoutes } from './operations/storage.ts';
import { predictionJobRoutes } from './predictions/jobs.ts';
import { predictionRoutes } from './predictions/predict.ts';
import { predictionResultRoutes } from './predictions/results.ts';
import { kserveExplainRoute } from './protocols/kserve-v1.ts';
import { kserveInferRoutes } from './protocols/kserve-v2/infer.ts';
import { kserveModelRoutes } from './protocols/kserve-v2/models.ts';
import { kserveRepositoryRoutes } from './protocols/kserve-v2/repository.ts';
import { kserveServerRoutes } from './protocols/kserve-v2/server.ts';
import { mlflowRoutes } from './protocols/mlflow.ts';
import { tensorflowRoutes } from './protocols/tensorflow.ts';
import { tensorflowModelRoutes } from './protocols/tensorflow-models.ts';
import { searchRoutes } from './searches/collection.ts';
import { searchPlotRoutes } from './searches/plots.ts';

/** Health and metrics: the routes of every role. */
export async function registerProbeRoutes(
  app: FastifyInstance,
  { health, metrics }: Pick<Services, 'health' | 'metrics'>,
): Promise<void> {
  await app.register(healthRoutes(health));
  await app.register(metricsRoutes(metrics));
}

export async function registerRoutes(
  app: FastifyInstance,
  services: Services,
  config: Pick<Config, 'maxBodyBytes' | 'maxDatasetBytes' | 'corsOrigins' | 'publicPage'>,
  slowClients: SlowClients,
  onLimit: OnLimit,
): Promise<void> {
  const { catalog, uploads, training, idempotency, models, predictions, health } = services;
  const { maxBodyBytes, maxDatasetBytes } = config;

  await app.register(
    async (v1) => {
      await v1.register(datasetRoutes(catalog, services.testSets));
      await v1.register(datasetImageRoutes(catalog));
      await v1.register(datasetWriteRoutes(uploads, idempotency, maxDatasetBytes, slowClients, onLimit));
      // Waits and streams of events share the limit of a client.
      const countStream = createStreamLimit(MAX_CLIENT_STREAMS, onLimit);
      const waitAsPreferred = createWaitAsPreferred({
        waitForEnd: (...wait) => services.waitForEnd(...wait),
        stopping: () => health.stopping,
        countStream,
      });
      await v1.register(trainingJobRoutes(training, idempotency, waitAsPreferred, services.previewTraining));
      await v1.register(trainingJobChangeRoutes(training));
      await v1.register(trainingResultRoutes(training));
      const jobEvents = {
        list: (...page: Parameters<typeof training.events>) => training.events(...page),
        subscribe: services.subscribeEvents,
      };
      await v1.register(eventRoutes(JOB_EVENTS, jobEvents, health, countStream));
      await v1.register(sgdPathRoutes(training, services.sgdPaths));
      await v1.register(searchRoutes(services.searches, idempotency));
      await v1.register(searchPlotRoutes(services.searches, services.plots, config.corsOrigins.length > 0));
      const searchEvents = {
        list: (...page: Parameters<typeof services.searches.events>) => services.searches.events(...page),
        subscribe: (...cursor: Parameters<SubscribeEvents>) => services.subscribeSearchEvents(...cursor),
      };
      await v1.register(eventRoutes(SEARCH_EVENTS, searchEvents, health, countStream));
      await v1.register(gradientCheckRoutes(services.gradients));
      const sendCached = createPageCache(() => models.revision());
      await v1.register(modelRoutes(models, services.testSets, sendCached));
      await v1.register(modelChangeRoutes(services.registry, services.testSets, idempotency));
      await v1.register(aliasRoutes(services.registry, sendCached));
      await v1.register(exportRoutes(models, services.exports));
      await v1.register(evaluationRoutes(services.evaluations));
      await v1.register(modelCardRoutes(services.cards));
      const { predictionJobs } = services;
      await v1.register(
        predictionJobRoutes(predictionJobs, idempotency, maxDatasetBytes, slowClients, onLimit),
      );
      await v1.register(predictionResultRoutes(predictionJobs));
      await v1.register(weightsRoutes(services.interpretability));
      await v1.register(plotRoutes(services.plots, training, config.corsOrigins.length > 0));
      await v1.register(labReportRoutes(training, services.labReports, services.drawReportPictures));
      await v1.register(storageRoutes(services.storage));
    },
    { prefix: '/v1' },
  );
  await app.register(pageRoutes(config.publicPage));
  await app.register(kserveServerRoutes(health));
  await app.register(kserveModelRoutes(models, services.statistics, maxBodyBytes));
  await app.register(tensorflowModelRoutes(models));
  // These routes share the slots for large bodies.
  await app.register(async (large) => {
    limitLargeBodies(large, slowClients, onLimit);
    reserveBodyMemory(large, services.memory);
    startTogether(large);
    await large.register(
      async (v1) => {
        registerImageBodies(v1, maxBodyBytes);
        await v1.register(predictionRoutes(predictions, maxBodyBytes));
        await v1.register(explanationRoutes(services.interpretability, maxBodyBytes));
        await v1.register(modelImportRoutes(services.imports, idempotency, maxBodyBytes));
      },
      { prefix: '/v1' },
    );
    await large.register(async (protocols) => {
      registerRawBodies(protocols);
      await protocols.register(kserveInferRoutes(predictions, maxBodyBytes));
      await protocols.register(kserveRepositoryRoutes(models));
      await protocols.register(kserveExplainRoute(services.interpretability));
      await protocols.register(tensorflowRoutes(predictions, maxBodyBytes));
      await protocols.register(mlflowRoutes(models, predictions, health, maxBodyBytes));
    });
  });
}
