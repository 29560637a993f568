/** /v1/training-jobs: start, preview, list, show, verify. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { trainingPreviewSchema } from '../../../domain/jobs/preview.ts';
import { trainingRequestSchema } from '../../../domain/jobs/request.ts';
import { jobStatusSchema, type TrainingJob, trainingJobSchema } from '../../../domain/jobs/training.ts';
import { JOB_SORTS } from '../../../store/jobs/pages.ts';
import { type Create, createIdempotently, sendStored } from '../../conditional/idempotency.ts';
import { formatTag, sendPrepared } from '../../conditional/prepared.ts';
import { problems } from '../../errors/problem.ts';
import { requirePublicationScope } from '../../hooks/access/authentication.ts';
import { trackRequestId } from '../../hooks/lifecycle/request-context.ts';
import { readTraceparent } from '../../hooks/lifecycle/trace-context.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { createJobListRenderer } from '../../responses/job-list.ts';
import { preferHeader } from '../../responses/preferred-wait.ts';
import { stateTag } from '../../responses/stored-state.ts';
import { creationFilters, metadataFilter } from '../../validation/list-filters.ts';
import { cursor, listSchema, PAGES, paginationQuery } from '../../validation/pagination.ts';
import type { Routes } from '../context.ts';

const tags = ['training'];
const params = z.strictObject({ id: z.string().describe('Id of the job, `job_…`') });

const JOBS_PATH = '/v1/training-jobs/';
const toQueued = (job: TrainingJob) => ({ status: 202, location: JOBS_PATH + job.id, body: job });

export const trainingJobRoutes: Routes = async (
  app,
  { training, idempotency, waitAsPreferred, previewTraining },
) => {
  /** Creates a job, and responds when it is stored, or with its newer state after a wait. */
  async function respondQueued(
    request: FastifyRequest,
    reply: FastifyReply,
    create: Create<TrainingJob>,
  ): Promise<FastifyReply> {
    const stored = await createIdempotently(idempotency, request, reply, create, toQueued);
    const id = stored.location!.slice(JOBS_PATH.length);
    if (!(await waitAsPreferred(request, reply, { id, status: 'queued' }))) return sendStored(reply, stored);
    // The job exists, so an error of this read must not be the response.
    const job = await training.get(id).catch(() => null);
    const body = job === null ? stored.body : (reply.serializeInput(job, '202') as string);
    return sendStored(reply, { ...stored, body });
  }

  trackRequestId(app);
  const renderJobList = createJobListRenderer(training);

  app.route({
    method: 'POST',
    url: '/training-jobs',
    config: { scope: 'train', idempotent: true },
    schema: {
      operationId: 'startTrainingJob',
      summary: 'Start a training job',
      description:
        'Only `dataset` is required; the response holds every default. Poll the job at `Location`, or send `Prefer: wait=30`. ' +
        'A `publish.promote` other than `never` requires the scope `promote`. ' +
        'A body of at most 1 MiB.',
      tags,
      headers: z.looseObject(preferHeader),
      body: trainingRequestSchema,
      readsDataset: true,
      response: {
        202: trainingJobSchema.describe('The job, queued; after a wait, in its state by then'),
        ...problems(400, 409, 413, 415, 422, 429, 503, 507),
      },
      responseHeaders: { 202: ['Location', 'Preference-Applied'] },
    },
    async handler(request, reply) {
      requirePublicationScope(request, reply, request.body.publish);
      const start: Create<TrainingJob> = (record) =>
        training.start(request.body, record, readTraceparent(request.headers));
      return respondQueued(request, reply, start);
    },
  });

  app.route({
    method: 'POST',
    url: '/training-jobs/preview',
    config: { scope: 'train' },
    schema: {
      operationId: 'previewTrainingJob',
      summary: 'Preview a training job: its memory, its duration and its place in the queue',
      description:
        'Takes the body of `POST /v1/training-jobs` and rejects it with the same errors, so a form can be checked while it is ' +
        'filled in; starts nothing. A full queue is a warning here. The first preview of some options takes a few tenths of a ' +
        'second, because steps are timed.',
      tags,
      body: trainingRequestSchema,
      readsDataset: true,
      response: { 200: trainingPreviewSchema, ...problems(400, 413, 415, 422, 503) },
    },
    async handler(request, reply) {
      requirePublicationScope(request, reply, request.body.publish);
      return previewTraining(request.body, disconnectSignal(reply));
    },
  });

  app.route({
    method: 'GET',
    url: '/training-jobs',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listTrainingJobs',
      summary: 'List training jobs, newest first',
      description: `Filters apply together. Each item is what \`GET /v1/training-jobs/{id}\` returns. ${PAGES}`,
      tags,
      querystring: z.strictObject({
        ...paginationQuery,
        after: cursor(/^job_[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'a job').optional(),
        status: jobStatusSchema.optional(),
        modelName: z.string().max(64).optional().describe('Only jobs that train this model'),
        dataset: z.string().max(64).optional().describe('Only jobs that train on this data set'),
        search: z
          .string()
          .max(64)
          .transform((search) => (search === 'none' ? null : search))
          .optional()
          .describe('Only jobs of this search, `sea_…`; `none` for jobs that belong to no search'),
        metadata: metadataFilter.describe(
          'Only jobs with these entries in `metadata`: `metadata.team=vision` or `metadata[team]=vision`',
        ),
        ...creationFilters,
        sort: z.enum(JOB_SORTS).optional().describe('`-` is descending; newest first by default'),
      }),
      response: { 200: listSchema(trainingJobSchema).meta({ id: 'TrainingJobList' }), ...problems(400) },
    },
    async handler(request, reply) {
      const page = await training.revisions(request.query);
      const tag = formatTag(...page.data.flatMap(({ id, revision }) => [id, revision]), page.hasMore);
      return sendPrepared(request, reply, tag, async () => ({ tag, bytes: await renderJobList(page) }));
    },
  });

  app.route({
    method: 'GET',
    url: '/training-jobs/:id',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getTrainingJob',
      summary: 'Get a training job, its progress and its latest metrics',
      description:
        'The job has ended when `finishedAt` is not null: `status` is then `succeeded`, with the published version in `model`, `failed`, with the ' +
        'reason in `error`, or `cancelled`. To poll, send the last `ETag` in `If-None-Match`: 304 means that nothing has changed. ' +
        '`GET …/events` reports changes without polling.',
      tags,
      params,
      headers: z.looseObject(preferHeader),
      response: { 200: trainingJobSchema, ...problems(400, 404) },
      responseHeaders: { 200: ['Preference-Applied'] },
    },
    async handler(request, reply) {
      const before = await training.get(request.params.id);
      const job = (await waitAsPreferred(request, reply, before)) ? await training.get(before.id) : before;
      return reply.header('etag', stateTag(job)).send(job);
    },
  });

  app.route({
    method: 'POST',
    url: '/training-jobs/:id/verify',
    config: { scope: 'train', idempotent: true },
    schema: {
      operationId: 'verifyTrainingJob',
      summary: 'Repeat a succeeded training job and compare the results',
      description:
        'Starts a new job from the receipt of the first. Its `verification` compares the digests, the kernels, ' +
        'and how the processors round multiply-adds. No model is published. ' +
        'A training that `budget.seconds` ended is ' +
        'repeated up to the same step.',
      tags,
      params,
      headers: z.looseObject(preferHeader),
      readsDataset: true,
      response: {
        202: trainingJobSchema.describe('The job, queued; after a wait, in its state by then'),
        ...problems(400, 404, 409, 413, 415, 422, 429, 503, 507),
      },
      responseHeaders: { 202: ['Location', 'Preference-Applied'] },
    },
    async handler(request, reply) {
      const verify: Create<TrainingJob> = (record) =>
        training.verify(request.params.id, record, readTraceparent(request.headers));
      return respondQueued(request, reply, verify);
    },
  });
};
