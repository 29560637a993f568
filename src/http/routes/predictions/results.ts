/** /v1/prediction-jobs/{id}/result: the predictions of a job as CSV or npy. */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { AtelierError } from '../../../errors.ts';
import { RESULT_FORMATS, type ResultFormat } from '../../../services/predictions/jobs.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { rangeHeaders, sendRanged } from '../../conditional/ranges.ts';
import { problems } from '../../errors/problem.ts';
import { binaryContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';

/** Sent unchanged: the schema only documents the file. */
const fileContent = binaryContent as unknown as { schema: z.ZodType<Readable> };
const textContent = { schema: z.string() as unknown as z.ZodType<Readable> };

const TYPES = {
  csv: 'text/csv; charset=utf-8',
  npy: 'application/x-npy',
} as const satisfies Record<ResultFormat, string>;

const NOT_IN_NPY = 'applies to CSV only, because npy has all of them; leave it out';

const querystring = z
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

export const predictionResultRoutes: Routes = async (app, { predictionJobs }) => {
  app.route({
    method: 'GET',
    url: '/prediction-jobs/:id/result',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getPredictionResult',
      summary: 'Get the predictions of a job as CSV or npy',
      description:
        'CSV has a header and one line per image, in their order: `index`, `label`, `className`, `probability`, and for a data set ' +
        '`trueLabel`, `trueClassName`, `correct`. npy is the (n, classes) float32 matrix of probabilities. 409 until the job has succeeded. ' +
        'A download can be resumed by `Range`.',
      tags: ['predictions'],
      params: z.strictObject({ id: z.string().describe('Id of the job, `prd_…`') }),
      querystring,
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
        reply.type(TYPES[format]).header('content-disposition', `attachment; filename="${id}.${format}"`);
        return predictionJobs.result(id, format, hasAllClasses, disconnectSignal(reply));
      });
    },
  });
};
