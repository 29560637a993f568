/** /v1/prediction-jobs: start, list, show, pause, resume, cancel, delete, and their results. */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import {
  PREDICTION_JOB_ID,
  type PredictionJob,
  predictionFieldsSchema,
  predictionJobSchema,
  predictionRequestSchema,
  predictionStatusSchema,
} from '../../../domain/predictions/job.ts';
import { AtelierError } from '../../../errors.ts';
import { RESULT_FORMATS, type ResultFormat } from '../../../services/predictions/jobs.ts';
import { DATASET_FORM_LIMITS, type StoredForm } from '../../bodies/form.ts';
import { isForm, malformedForm, registerForms } from '../../bodies/multipart.ts';
import { withStoredForm } from '../../bodies/receive-file.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { type Create, isRepeated, respondIdempotently } from '../../conditional/idempotency.ts';
import { rangeHeaders, sendRanged } from '../../conditional/ranges.ts';
import { problems } from '../../errors/problem.ts';
import { limitLargeBodies } from '../../hooks/overload/large-bodies.ts';
import { fileContent, predictionJobContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { negotiate } from '../../responses/negotiate.ts';
import { stateTag } from '../../responses/stored-state.ts';
import { cursor, listSchema, PAGES, paginationQuery, toList } from '../../validation/pagination.ts';
import { parseBody } from '../../validation/zod-validator.ts';
import type { Routes } from '../context.ts';
import { registerLifecycle } from '../lifecycle.ts';

const tags = ['predictions'];
const JOBS_PATH = '/v1/prediction-jobs/';
const params = z.strictObject({ id: z.string().describe('Id of the job, `prd_…`') });

/** The form of a job whose images are a file. */
export const PREDICTION_FORM: StoredForm<typeof predictionFieldsSchema> = {
  fields: predictionFieldsSchema,
  files: { file: 'optional' },
  stored: 'the file of images',
  limits: DATASET_FORM_LIMITS,
  example: () => 'curl -F file=@images.npy',
  tooLarge: (maxBytes) => `The file is larger than the limit MAX_DATASET_BYTES, ${maxBytes} bytes.`,
  tooManyFiles: () => malformedForm('it has more than one file'),
  otherFile: () => 'Must be text; the only file is `file`.',
};

/** Sent unchanged, like `fileContent`. */
const textContent = { schema: z.string() as unknown as z.ZodType<Readable> };
const RESULT_TYPES = {
  csv: 'text/csv; charset=utf-8',
  npy: 'application/x-npy',
} as const satisfies Record<ResultFormat, string>;

const NOT_IN_NPY = 'applies to CSV only, because npy has all of them; leave it out';

const resultQuery = z
  .strictObject({
    format: z.enum(RESULT_FORMATS).optional().describe('Takes precedence over `Accept`; CSV by default'),
    probabilities: z
      .enum(['all', 'top'])
      .optional()
      .describe('CSV only: `all` adds one column per class, `probability0`, …; `top` by default'),
  })
  .refine(({ format, probabilities }) => format !== 'npy' || probabilities === undefined, {
    path: ['probabilities'],
    message: NOT_IN_NPY,
  });

export const predictionJobRoutes: Routes = async (
  app,
  { predictionJobs, idempotency, maxDatasetBytes, slowClients, onLimit },
) => {
  app.route({
    method: 'GET',
    url: '/prediction-jobs',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listPredictionJobs',
      summary: 'List prediction jobs, newest first',
      description: PAGES,
      tags,
      querystring: z.strictObject({
        ...paginationQuery,
        after: cursor(PREDICTION_JOB_ID, 'a prediction job').optional(),
        status: predictionStatusSchema.optional(),
      }),
      response: {
        200: listSchema(predictionJobSchema).meta({ id: 'PredictionJobList' }),
        ...problems(400),
      },
    },
    handler: async ({ query }) => toList(await predictionJobs.list(query), ({ id }) => id),
  });

  app.route({
    method: 'GET',
    url: '/prediction-jobs/:id',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getPredictionJob',
      summary: 'Get a prediction job and its progress',
      description:
        'The job has ended when `finishedAt` is not null. To poll, send the last `ETag` in `If-None-Match`: 304 means that nothing has changed.',
      tags,
      params,
      response: { 200: predictionJobSchema, ...problems(400, 404) },
    },
    async handler(request, reply) {
      const job = await predictionJobs.get(request.params.id);
      return reply.header('etag', stateTag(job)).send(job);
    },
  });

  registerLifecycle(app, {
    url: '/prediction-jobs/:id',
    name: 'PredictionJob',
    what: 'prediction job',
    tags,
    params,
    schema: predictionJobSchema,
    changes: [
      {
        change: 'cancel',
        summary: 'Cancel a prediction job',
        description: 'The job is cancelled at once. It has no result.',
      },
      {
        change: 'pause',
        summary: 'Pause a prediction job',
        description: 'The job is paused at once, and keeps its uploaded file.',
      },
      {
        change: 'resume',
        summary: 'Resume a paused prediction job',
        description: 'The job is queued again and starts from the first image, with the same result.',
        errors: [429],
      },
    ],
    change: (id, change, precondition) => predictionJobs[change](id, precondition),
    deletion: {
      summary: 'Delete an ended prediction job with its result',
      description: '409 while the job has not ended; cancel it first.',
    },
    remove: (id, precondition) => predictionJobs.remove(id, precondition),
  });

  await app.register(async (scope) => {
    limitLargeBodies(scope, slowClients, onLimit);
    registerForms(scope);
    (scope as typeof app).route({
      method: 'POST',
      url: '/prediction-jobs',
      config: { scope: 'predict', idempotent: true, upload: true },
      schema: {
        operationId: 'startPredictionJob',
        summary: 'Start a prediction job',
        description:
          'Predicts all images of a split, or of an uploaded array, in the background; the result is the same as with ' +
          '`POST …/predictions`. The array is checked before the response. A file has at most `MAX_DATASET_BYTES`, 1 GiB by default, both ' +
          'compressed and decompressed. Poll the job at `Location`, then get its `result`.',
        tags,
        requestContent: predictionJobContent,
        response: {
          202: predictionJobSchema.describe('The job, queued'),
          ...problems(400, 409, 413, 415, 422, 429, 503, 507),
        },
        responseHeaders: { 202: ['Location'] },
      },
      async handler(request, reply) {
        if (!isForm(request)) {
          const body = parseBody(predictionRequestSchema, request.body);
          const start: Create<PredictionJob> = (record) =>
            predictionJobs.start(body, request.caller, disconnectSignal(reply), record);
          return respondIdempotently(idempotency, request, reply, start, toQueued);
        }
        if (!(await isRepeated(idempotency, request))) await predictionJobs.assertQueueHasRoom();
        const signal = disconnectSignal(reply);
        return withStoredForm(
          request,
          PREDICTION_FORM,
          maxDatasetBytes,
          predictionJobs,
          ({ fields, files: [sent] }) => {
            const file = { ...sent!, pixels: fields.pixels };
            const start: Create<PredictionJob> = (record) =>
              predictionJobs.startWithFile(fields, file, signal, record);
            const content = { fields, file: file.digest };
            return respondIdempotently(idempotency, request, reply, start, toQueued, content);
          },
        );
      },
    });
  });

  app.route({
    method: 'GET',
    url: '/prediction-jobs/:id/result',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getPredictionResult',
      summary: 'Get the predictions of a job as CSV or npy',
      description:
        'CSV has a header and one line per image, in their order: `index`, `label`, `className`, `probability`, and for a data set ' +
        '`trueLabel`, `trueClassName`, `correct`, and with `coverage` `classes` (labels, most probable first), `unsure`, `unsureBecause`. npy is the (n, classes) float32 matrix of probabilities. 409 until the job has succeeded. ' +
        'A download can be resumed by `Range`.',
      tags,
      params,
      querystring: resultQuery,
      headers: rangeHeaders,
      response: {
        200: {
          description: 'The predictions; the name of the file is in Content-Disposition',
          content: { 'text/csv': textContent, 'application/x-npy': fileContent },
        },
        206: {
          description: 'The bytes that Range selects',
          content: { 'text/csv': textContent, 'application/x-npy': fileContent },
        },
        ...problems(400, 404, 406, 409, 412, 416, 500, 503, 507),
      },
      responseHeaders: {
        200: ['Content-Disposition', 'Accept-Ranges', 'Cache-Control'],
        206: ['Content-Disposition', 'Content-Range', 'Cache-Control', 'ETag'],
        416: ['Content-Range'],
      },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const { format: wanted, probabilities } = request.query;
      const accepted = () => negotiate(request, reply, ['text/csv', 'application/x-npy']);
      const format = wanted ?? (accepted() === 'text/csv' ? 'csv' : 'npy');
      if (format === 'npy' && probabilities !== undefined) {
        const details = [{ parameter: 'probabilities', detail: NOT_IN_NPY }];
        throw new AtelierError('invalid-request', `probabilities ${NOT_IN_NPY}.`, { details });
      }
      const hasAllClasses = format === 'csv' && probabilities === 'all';
      const tag = await predictionJobs.resultTag(id, format, hasAllClasses);
      reply.header('cache-control', cacheControl(true));
      return sendRanged(request, reply, tag, () => {
        reply
          .type(RESULT_TYPES[format])
          .header('content-disposition', `attachment; filename="${id}.${format}"`);
        return predictionJobs.result(id, format, hasAllClasses, disconnectSignal(reply));
      });
    },
  });
};

const toQueued = (job: PredictionJob) => ({ status: 202, location: JOBS_PATH + job.id, body: job });
