/** Assembles the HTTP application from the services; never listens. */
import { randomUUID } from 'node:crypto';
import accepts from '@fastify/accepts';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { Config } from '../config.ts';
import type { Catalog } from '../datasets/catalog.ts';
import { AtelierError } from '../errors.ts';
import type { EvaluationService } from '../services/evaluations.ts';
import type { ExportService } from '../services/exports.ts';
import type { GradientCheckService } from '../services/gradient-checks.ts';
import type { HealthService } from '../services/health.ts';
import type { IdempotencyService } from '../services/idempotency.ts';
import type { ImportService } from '../services/imports.ts';
import type { InferenceStatistics } from '../services/inference-statistics.ts';
import type { InterpretabilityService } from '../services/interpretability.ts';
import type { ModelService } from '../services/models.ts';
import type { PredictionService } from '../services/predictions.ts';
import type { RegistryService } from '../services/registry.ts';
import type { SubscribeEvents } from '../services/subscribe-events.ts';
import type { TrainingService } from '../services/training.ts';
import type { DatasetUploadService } from '../services/uploaded-datasets.ts';
import { registerImageBodies } from './bodies/images.ts';
import { registerJsonBody } from './bodies/json.ts';
import { registerRawBodies } from './bodies/raw.ts';
import { sendClientError } from './errors/client-error.ts';
import { sendProblem } from './errors/error-handler.ts';
import type { Metrics } from './metrics/registry.ts';
import { measureRequests } from './metrics/requests.ts';
import { type AuthenticationConfig, registerAuthentication } from './plugins/authentication.ts';
import { isProbe, shedLoad } from './plugins/backpressure.ts';
import { CONNECTION_LIMITS, connectionOptions, limitConnections } from './plugins/connection-limits.ts';
import { rejectEncodedBody } from './plugins/content-encoding.ts';
import { registerCors } from './plugins/cors.ts';
import { drainInFlightRequests } from './plugins/graceful-shutdown.ts';
import { validateHostAndExpect } from './plugins/host-and-expect.ts';
import { registerIdempotency } from './plugins/idempotency.ts';
import { limitLargeBodies } from './plugins/large-bodies.ts';
import { registerNotFound } from './plugins/not-found.ts';
import { registerOpenapi } from './plugins/openapi.ts';
import { requireRouteScopes } from './plugins/route-scopes.ts';
import { SECURITY_HEADERS } from './plugins/security-headers.ts';
import { datasetRoutes } from './routes/datasets.ts';
import { evaluationRoutes } from './routes/evaluations.ts';
import { explanationRoutes } from './routes/explanations.ts';
import { exportRoutes } from './routes/exports.ts';
import { gradientCheckRoutes } from './routes/gradient-checks.ts';
import { healthRoutes } from './routes/health.ts';
import { importRoutes } from './routes/imports.ts';
import { jobEventRoutes } from './routes/job-events.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { datasetUploadRoutes } from './routes/own-datasets.ts';
import { predictionRoutes } from './routes/predictions.ts';
import { v2InferRoutes } from './routes/protocols/kserve-v2/infer.ts';
import { v2ModelRoutes } from './routes/protocols/kserve-v2/models.ts';
import { v2RepositoryRoutes } from './routes/protocols/kserve-v2/repository.ts';
import { v2ServerRoutes } from './routes/protocols/kserve-v2/server.ts';
import { mlflowRoutes } from './routes/protocols/mlflow.ts';
import { tensorflowRoutes } from './routes/protocols/tensorflow.ts';
import { registryRoutes } from './routes/registry.ts';
import { trainingJobRoutes } from './routes/training-jobs.ts';
import { weightsRoutes } from './routes/weights.ts';
import { validatorCompiler } from './validation/zod-validator.ts';

export interface Services {
  readonly catalog: Catalog;
  readonly uploads: DatasetUploadService;
  readonly training: TrainingService;
  readonly subscribeEvents: SubscribeEvents;
  readonly idempotency: IdempotencyService;
  readonly gradients: GradientCheckService;
  readonly models: ModelService;
  readonly registry: RegistryService;
  readonly predictions: PredictionService;
  readonly statistics: InferenceStatistics;
  readonly exports: ExportService;
  readonly imports: ImportService;
  readonly evaluations: EvaluationService;
  readonly interpretability: InterpretabilityService;
  readonly health: HealthService;
  readonly metrics: Metrics;
}

/** For bodies that are not images. */
export const JSON_BODY_BYTES = 2 ** 20;
/** Longest id or name in a path. */
export const MAX_PARAM_LENGTH = 128;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

export async function buildApp(
  services: Services,
  config: Pick<Config, 'maxBodyBytes' | 'maxDatasetBytes' | 'maxEventLoopDelayMs' | 'shutdownGraceSeconds'> &
    Partial<Pick<Config, 'corsOrigins'>> &
    AuthenticationConfig,
  logger?: FastifyBaseLogger,
): Promise<FastifyInstance> {
  const { http, ...timeouts } = connectionOptions(CONNECTION_LIMITS);
  const app = Fastify({
    ...(logger && { loggerInstance: logger }),
    bodyLimit: Math.min(JSON_BODY_BYTES, config.maxBodyBytes),
    ...timeouts,
    forceCloseConnections: 'idle',
    // Closing is under it too, and waits for requests in flight.
    pluginTimeout: 0,
    // Fastify's own is no problem document. Below, the requests of that time get one.
    return503OnClosing: false,
    // One line a request, when it is answered, instead of Fastify's two.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // What goes wrong before there is a route; nothing may throw here, there is nobody to catch it.
    frameworkErrors: (error, request, reply) =>
      void sendProblem(
        error,
        request,
        reply.headers(SECURITY_HEADERS).header('x-request-id', request.id),
        config.maxBodyBytes,
      ),
    clientErrorHandler: sendClientError,
    // Refused below, with a problem.
    http: { ...http, requireHostHeader: false },
  });
  requireRouteScopes(app);
  limitConnections(app, CONNECTION_LIMITS);
  drainInFlightRequests(app);
  registerJsonBody(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // Hooks of every request call back: each promise would cost it a turn.
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (!services.health.accepting() && !isProbe(request)) {
      throw new AtelierError('draining', 'The service is shutting down. Try again shortly.');
    }
    done();
  });
  await registerCors(app, config.corsOrigins);

  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, caller } = request;
    request.log.info(
      // Nothing is said of anonymous ones, as all are where there are no keys.
      {
        method,
        url,
        status: reply.statusCode,
        durationMs: reply.elapsedTime,
        ...(caller !== 'anonymous' && { caller }),
      },
      'answered',
    );
    done();
  });
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, config.maxBodyBytes));
  measureRequests(app, (...labels) => services.metrics.requestDuration(...labels));
  registerNotFound(app);
  validateHostAndExpect(app);
  app.addHook('onRequest', rejectEncodedBody);
  shedLoad(app, config.maxEventLoopDelayMs);
  await app.register(accepts);
  await registerAuthentication(app, config);
  registerIdempotency(app);
  await registerOpenapi(app);
  await app.register(healthRoutes(services.health));
  await app.register(metricsRoutes(services.metrics));
  await app.register(
    async (v1) => {
      await v1.register(datasetRoutes(services.catalog));
      await v1.register(datasetUploadRoutes(services.uploads, services.idempotency, config.maxDatasetBytes));
      await v1.register(trainingJobRoutes(services.training, services.idempotency));
      const { training, subscribeEvents, health } = services;
      await v1.register(jobEventRoutes(training, subscribeEvents, health, config.shutdownGraceSeconds));
      await v1.register(gradientCheckRoutes(services.gradients));
      await v1.register(modelRoutes(services.models));
      await v1.register(registryRoutes(services.registry));
      await v1.register(exportRoutes(services.models, services.exports));
      await v1.register(evaluationRoutes(services.evaluations));
      await v1.register(weightsRoutes(services.interpretability));
    },
    { prefix: '/v1' },
  );
  await app.register(v2ServerRoutes(services.health));
  await app.register(v2ModelRoutes(services.models, services.statistics));
  const { models, predictions, health } = services;
  await app.register(async (large) => {
    limitLargeBodies(large);
    await large.register(
      async (images) => {
        await registerImageBodies(images, config.maxBodyBytes);
        await images.register(predictionRoutes(predictions, config.maxBodyBytes));
        await images.register(explanationRoutes(services.interpretability, config.maxBodyBytes));
        await images.register(importRoutes(services.imports, services.idempotency, config.maxBodyBytes));
      },
      { prefix: '/v1' },
    );
    await large.register(async (protocols) => {
      registerRawBodies(protocols);
      await protocols.register(v2InferRoutes(predictions, config.maxBodyBytes));
      await protocols.register(v2RepositoryRoutes(models));
      await protocols.register(tensorflowRoutes(predictions, config.maxBodyBytes));
      await protocols.register(mlflowRoutes(models, predictions, health, config.maxBodyBytes));
    });
  });
  return app;
}
