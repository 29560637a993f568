/** /v1/training-jobs */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { checkpointSchema } from '../../domain/checkpoint.ts';
import { epochRecordSchema } from '../../domain/epoch-record.ts';
import {
  jobStatusSchema,
  type TrainingJob,
  trainingJobSchema,
  trainingRequestSchema,
} from '../../domain/training-job.ts';
import type { IdempotencyService } from '../../services/idempotency.ts';
import type { TrainingService } from '../../services/training.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import { problems } from '../errors/problem.ts';
import { registerEtag } from '../plugins/etag.ts';
import { respondIdempotently } from '../plugins/idempotency.ts';
import { trackRequestId } from '../plugins/request-context.ts';
import { epochsToCsv } from '../responses/csv.ts';
import { negotiate } from '../responses/negotiate.ts';
import { listSchema, noQuery, paginationQuery, toList } from '../validation/pagination.ts';

const tags = ['training'];
const params = z.strictObject({ id: z.string().describe('Id of the job, `job_…`') });
/** Any ULID is a place in the order; whether a job has it does not matter. */
const jobCursor = z
  .string()
  .regex(/^job_[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'must be the id of a job, `lastId` of the page before')
  .describe('`lastId` of the page before');

const toQueued = (job: TrainingJob) => ({ status: 202, location: `/v1/training-jobs/${job.id}`, body: job });

export const trainingJobRoutes =
  (training: TrainingService, once: IdempotencyService): FastifyPluginAsyncZod =>
  async (app) => {
    await registerEtag(app);
    trackRequestId(app);

    app.route({
      method: 'POST',
      url: '/training-jobs',
      config: { scope: 'train', idempotent: true },
      schema: {
        operationId: 'startTrainingJob',
        summary: 'Start a training job',
        description:
          'Only `dataset` is required. Every default is in the answer. Poll the job at `Location`. A body of at most 1 MiB.',
        tags,
        querystring: noQuery,
        body: trainingRequestSchema,
        response: {
          202: trainingJobSchema.describe('The job, queued'),
          ...problems(400, 409, 413, 415, 422, 429, 503, 507),
        },
      },
      async handler(request, reply) {
        const start = (keep?: IdempotencyRecord<TrainingJob>) => training.start(request.body, keep);
        return respondIdempotently(once, request, reply, start, toQueued);
      },
    });

    app.route({
      method: 'GET',
      url: '/training-jobs',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listTrainingJobs',
        summary: 'List training jobs, newest first',
        tags,
        querystring: z.strictObject({
          ...paginationQuery,
          after: jobCursor.optional(),
          status: jobStatusSchema.optional(),
        }),
        response: { 200: listSchema(trainingJobSchema).meta({ id: 'TrainingJobList' }), ...problems(400) },
      },
      handler: async (request) => toList(await training.list(request.query), (job) => job.id),
    });

    app.route({
      method: 'GET',
      url: '/training-jobs/:id',
      config: { scope: 'predict' },
      schema: {
        operationId: 'getTrainingJob',
        summary: 'Show a training job, its progress and its latest metrics',
        tags,
        params,
        querystring: noQuery,
        response: { 200: trainingJobSchema, ...problems(400, 404) },
      },
      handler: (request) => training.get(request.params.id),
    });

    app.route({
      method: 'POST',
      url: '/training-jobs/:id/cancel',
      config: { scope: 'train', sheddable: false },
      schema: {
        operationId: 'cancelTrainingJob',
        summary: 'Cancel a training job',
        description:
          'A queued or paused job is cancelled at once, a running one within a batch; what it checks or measures between batches ' +
          'may end first, for at most five seconds. What it measured stays, and its checkpoints. It publishes no model.',
        tags,
        params,
        querystring: noQuery,
        response: { 202: trainingJobSchema, ...problems(400, 404, 409, 413, 415, 507) },
      },
      async handler(request, reply) {
        return reply.code(202).send(await training.cancel(request.params.id));
      },
    });

    app.route({
      method: 'POST',
      url: '/training-jobs/:id/pause',
      config: { scope: 'train', sheddable: false },
      schema: {
        operationId: 'pauseTrainingJob',
        summary: 'Pause a training job',
        description:
          'A queued job is paused at once; a running one writes a checkpoint within a batch and is paused then. Its place is ' +
          'free for others.',
        tags,
        params,
        querystring: noQuery,
        response: { 202: trainingJobSchema, ...problems(400, 404, 409, 413, 415, 507) },
      },
      async handler(request, reply) {
        return reply.code(202).send(await training.pause(request.params.id));
      },
    });

    app.route({
      method: 'POST',
      url: '/training-jobs/:id/resume',
      config: { scope: 'train' },
      schema: {
        operationId: 'resumeTrainingJob',
        summary: 'Let a paused training job go on',
        description:
          'It is queued again, and goes on from its last checkpoint: the final parameters are those of a job that was never paused.',
        tags,
        params,
        querystring: noQuery,
        response: { 202: trainingJobSchema, ...problems(400, 404, 409, 413, 415, 429, 507) },
      },
      async handler(request, reply) {
        return reply.code(202).send(await training.resume(request.params.id));
      },
    });

    app.route({
      method: 'POST',
      url: '/training-jobs/:id/verify',
      config: { scope: 'train', idempotent: true },
      schema: {
        operationId: 'verifyTrainingJob',
        summary: 'Train again from the receipt of a job that succeeded, and compare',
        description:
          'A new job, whose `verification` says whether its digest is that of the first one, and what is different if it is ' +
          'not. It publishes no model. A training that `budget.seconds` ended is repeated up to the same step.',
        tags,
        params,
        querystring: noQuery,
        response: {
          202: trainingJobSchema.describe('The job, queued'),
          ...problems(400, 404, 409, 413, 415, 422, 429, 503),
        },
      },
      async handler(request, reply) {
        const verify = (keep?: IdempotencyRecord<TrainingJob>) => training.verify(request.params.id, keep);
        return respondIdempotently(once, request, reply, verify, toQueued);
      },
    });

    app.route({
      method: 'GET',
      url: '/training-jobs/:id/checkpoints',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listCheckpoints',
        summary: 'Checkpoints of a training job, by steps',
        description:
          'The best and the last few. One is a model as any other: `POST …/checkpoints/{step}/predictions`, and as `"job_…@step"` ' +
          'in `warmStart` and gradient checks.',
        tags,
        params,
        querystring: noQuery,
        response: {
          200: z.object({ data: z.array(checkpointSchema) }).meta({ id: 'CheckpointList' }),
          ...problems(400, 404),
        },
      },
      handler: async (request) => ({ data: await training.checkpoints(request.params.id) }),
    });

    app.route({
      method: 'GET',
      url: '/training-jobs/:id/metrics',
      config: { scope: 'predict' },
      schema: {
        operationId: 'getTrainingMetrics',
        summary: 'Metrics of every finished epoch, as JSON or CSV by Accept',
        tags,
        params,
        querystring: noQuery,
        response: {
          200: {
            description: 'One record an epoch, ascending',
            content: {
              'application/json': {
                schema: z.object({ data: z.array(epochRecordSchema) }).meta({ id: 'EpochRecordList' }),
              },
              'text/csv': { schema: z.string() },
            },
          },
          ...problems(400, 404, 406),
        },
      },
      async handler(request, reply) {
        const type = negotiate(request, reply, ['application/json', 'text/csv']);
        const data = await training.metrics(request.params.id);
        if (type === 'application/json') return reply.send({ data });
        return reply.type('text/csv; charset=utf-8').send(epochsToCsv(data));
      },
    });
  };
