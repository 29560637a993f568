/** Registers the routes, in the scopes that parse their bodies. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../../config.ts';
import { registerImageBodies } from '../bodies/images.ts';
import { registerRawBodies } from '../bodies/raw.ts';
import type { OnTimeout } from '../errors/client-error.ts';
import { reserveBodyMemory } from '../plugins/body-memory.ts';
import type { OnLimit } from '../plugins/client.ts';
import { createStreamLimit, MAX_CLIENT_STREAMS } from '../plugins/client-connections.ts';
import { limitLargeBodies } from '../plugins/large-bodies.ts';
import { startTogether } from '../plugins/start-together.ts';
import { createPageCache } from '../responses/page-cache.ts';
import { createWaitAsPreferred } from '../responses/preferred-wait.ts';
import { createRespondEvents } from '../responses/respond-events.ts';
import type { Services } from '../services.ts';
import { aliasRoutes } from './aliases.ts';
import { datasetImageRoutes } from './dataset-images.ts';
import { datasetRoutes, datasetWriteRoutes } from './datasets.ts';
import { evaluationRoutes } from './evaluations.ts';
import { explanationRoutes } from './explanations.ts';
import { exportRoutes } from './exports.ts';
import { gradientCheckRoutes } from './gradient-checks.ts';
import { healthRoutes } from './health.ts';
import { jobEventRoutes } from './job-events.ts';
import { labReportRoutes } from './lab-reports.ts';
import { metricsRoutes } from './metrics.ts';
import { modelCardRoutes } from './model-cards.ts';
import { modelChangeRoutes } from './model-changes.ts';
import { modelImportRoutes } from './model-imports.ts';
import { modelRoutes } from './models.ts';
import { pageRoutes } from './page.ts';
import { plotRoutes } from './plots.ts';
import { predictionJobRoutes } from './prediction-jobs.ts';
import { predictionResultRoutes } from './prediction-results.ts';
import { predictionRoutes } from './predictions.ts';
import { kserveExplainRoute } from './protocols/kserve-v1.ts';
import { kserveInferRoutes } from './protocols/kserve-v2/infer.ts';
import { kserveModelRoutes } from './protocols/kserve-v2/models.ts';
import { kserveRepositoryRoutes } from './protocols/kserve-v2/repository.ts';
import { kserveServerRoutes } from './protocols/kserve-v2/server.ts';
import { mlflowRoutes } from './protocols/mlflow.ts';
import { tensorflowRoutes } from './protocols/tensorflow.ts';
import { tensorflowModelRoutes } from './protocols/tensorflow-models.ts';
import { searchEventRoutes } from './search-events.ts';
import { searchPlotRoutes } from './search-plots.ts';
import { searchRoutes } from './searches.ts';
import { sgdPathRoutes } from './sgd-paths.ts';
import { storageRoutes } from './storage.ts';
import { trainingJobChangeRoutes } from './training-job-changes.ts';
import { trainingJobRoutes } from './training-jobs.ts';
import { trainingResultRoutes } from './training-results.ts';
import { weightsRoutes } from './weights.ts';

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
  onTimeout: OnTimeout,
  onLimit: OnLimit,
): Promise<void> {
  const { catalog, uploads, training, idempotency, models, predictions, health } = services;
  const { maxBodyBytes, maxDatasetBytes } = config;

  await app.register(
    async (v1) => {
      await v1.register(datasetRoutes(catalog, services.testSets));
      await v1.register(datasetImageRoutes(catalog));
      await v1.register(datasetWriteRoutes(uploads, idempotency, maxDatasetBytes, onTimeout, onLimit));
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
      await v1.register(jobEventRoutes(training, services.subscribeEvents, health, countStream));
      await v1.register(sgdPathRoutes(training, services.sgdPaths));
      await v1.register(searchRoutes(services.searches, idempotency));
      await v1.register(searchPlotRoutes(services.searches, services.plots, config.corsOrigins.length > 0));
      const respondSearchEvents = createRespondEvents({
        list: (...page) => services.searches.events(...page),
        subscribe: (...cursor) => services.subscribeSearchEvents(...cursor),
        health,
        countStream,
      });
      await v1.register(searchEventRoutes(respondSearchEvents));
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
        predictionJobRoutes(predictionJobs, idempotency, maxDatasetBytes, onTimeout, onLimit),
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
    limitLargeBodies(large, onTimeout, onLimit);
    reserveBodyMemory(large, services.memory);
    startTogether(large);
    await large.register(
      async (v1) => {
        registerImageBodies(v1, maxBodyBytes);
        const { decodeFiles, readEncodedJson } = services;
        const reader = { maxBodyBytes, decodeFiles, readEncodedJson };
        await v1.register(predictionRoutes(predictions, reader));
        await v1.register(explanationRoutes(services.interpretability, reader));
        await v1.register(modelImportRoutes(services.imports, idempotency, maxBodyBytes));
      },
      { prefix: '/v1' },
    );
    await large.register(async (protocols) => {
      registerRawBodies(protocols);
      await protocols.register(kserveInferRoutes(predictions, maxBodyBytes));
      await protocols.register(kserveRepositoryRoutes(models));
      await protocols.register(kserveExplainRoute(services.interpretability, services.decodeFiles));
      await protocols.register(tensorflowRoutes(predictions, maxBodyBytes));
      await protocols.register(mlflowRoutes(models, predictions, health, maxBodyBytes));
    });
  });
}
