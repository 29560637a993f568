/** /v1/training-jobs/{id}/report: the lab report of a job. */
import { z } from 'zod';
import { labReportQuerySchema, labReportSchema } from '../../../domain/reports/lab-report.ts';
import { REPORT_POLICY } from '../../../formats/documents/lab-report/style.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { negotiate } from '../../responses/negotiate.ts';
import { serviceAddress } from '../../responses/service-address.ts';
import type { Routes } from '../context.ts';

const TYPES = ['text/html', 'text/markdown', 'application/json'] as const;

export const labReportRoutes: Routes = async (app, { training, labReports, drawReportPictures }) => {
  app.route({
    method: 'GET',
    url: '/training-jobs/:id/report',
    config: { scope: 'predict', priority: 'low', sameOrigin: true },
    schema: {
      operationId: 'getLabReport',
      summary: 'Get the lab report of an ended training job',
      description:
        'Data, gradient check, training, weights, evaluation, path, looks and receipt in one document, with the numbers of their routes. ' +
        'HTML is one file that loads nothing, for screens and for paper; `Accept` selects Markdown or JSON. A section that is too costly ' +
        'or impossible is left out, with its reason and the command that produces it. The first evaluation of a version counts as a look; ' +
        'the version of a job with `testSet: never` is evaluated only if a test result of it was revealed before. ' +
        'What takes long is computed once and cached.',
      tags: ['training'],
      params: z.strictObject({ id: z.string().describe('Id of the job, `job_…`') }),
      querystring: labReportQuerySchema,
      readsDataset: true,
      response: {
        200: {
          description: 'The report',
          content: {
            'text/html': { schema: z.string() },
            'text/markdown': { schema: z.string() },
            'application/json': { schema: labReportSchema },
          },
        },
        ...problems(400, 404, 406, 409, 422, 503, 507),
      },
      responseHeaders: { 200: ['Cache-Control', 'Content-Disposition'] },
    },
    async handler(request, reply) {
      const { params, query } = request;
      const { basePath } = app;
      const type = negotiate(request, reply, TYPES);
      const signal = disconnectSignal(reply);
      const job = await training.get(params.id);
      const collected = await labReports.collect(job, query, { basePath, signal, caller: request.caller });
      // The counts of looks change.
      reply.header('cache-control', cacheControl(false));
      if (type === 'application/json') return reply.type(type).send(collected.report);
      const isEmbedded = type === 'text/html' || query.pictures === 'data';
      const pictures = isEmbedded ? await drawReportPictures(collected, signal) : null;
      const input = { ...collected, pictures, basePath, address: serviceAddress(request) };
      const extension = type === 'text/html' ? 'html' : 'md';
      reply.type(`${type}; charset=utf-8`);
      reply.header('content-disposition', `inline; filename="report-${job.id}.${extension}"`);
      // Loaded on demand, as few processes write reports.
      if (type === 'text/markdown') {
        const { writeMarkdownReport } = await import('../../../formats/documents/lab-report/markdown.ts');
        return reply.send(writeMarkdownReport(input));
      }
      // A page may not be framed; only a header can say so.
      reply.header('content-security-policy', `${REPORT_POLICY}; frame-ancestors 'none'`);
      const { writeHtmlReport } = await import('../../../formats/documents/lab-report/html.ts');
      return reply.send(writeHtmlReport(input));
    },
  });
};
