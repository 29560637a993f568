/** …/plots/{plot}: plots of training jobs and model versions, as SVG or PNG. */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  JOB_PLOTS,
  jobPlotQuerySchema,
  type PlotFormat,
  type PlotQuery,
  pathPlotQuerySchema,
  VERSION_PLOTS,
  versionPlotQuerySchema,
} from '../../../domain/reports/plots.ts';
import type { Plot } from '../../../services/inspection/draw-plots.ts';
import type { PlotService } from '../../../services/inspection/plots.ts';
import { assertSucceeded } from '../../../services/inspection/sgd-paths.ts';
import type { TrainingService } from '../../../services/training/jobs.ts';
import { contentTag, registerEtag } from '../../conditional/etag.ts';
import { sendPrepared, tagOf } from '../../conditional/prepared.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import {
  describePlot,
  PLOT_FILES,
  PLOT_TYPES,
  plotFormat,
  plotResponse,
} from '../../responses/plot-files.ts';
import { modelName, versionName } from '../models/collection.ts';

/** @param isShared whether pages of other origins, such as notebooks, may embed plots */
export const plotRoutes =
  (plots: PlotService, training: Pick<TrainingService, 'get'>, isShared: boolean): FastifyPluginAsyncZod =>
  async (app) => {
    registerEtag(app);

    app.route({
      method: 'GET',
      url: '/training-jobs/:id/plots/:plot',
      config: { scope: 'predict', priority: 'low' },
      schema: {
        operationId: 'plotTrainingJob',
        summary: 'Plot the epochs of a training job',
        description:
          'Loss, accuracy, learning rate, norms or dead units by epoch, without smoothing. Above 1,000 epochs, the smallest and the largest value of each pixel are drawn. ' +
          `${PLOT_FILES} \`Cache-Control\` is \`immutable\` once every job of the plot has ended.`,
        tags: ['training'],
        params: z.strictObject({
          id: z.string().describe('Id of the job, `job_…`'),
          plot: z.enum(JOB_PLOTS),
        }),
        querystring: jobPlotQuerySchema,
        response: { 200: plotResponse, ...problems(400, 404, 406, 422, 503) },
        responseHeaders: { 200: ['Cache-Control', 'Content-Disposition'] },
      },
      async handler(request, reply) {
        const { params, query } = request;
        const format = plotFormat(request, reply, query);
        const found = await plots.findJobs(params.id, query);
        describePlot(reply, `${params.plot}-${params.id}`, format, found.isFinal, isShared);
        const tag = tagOf(...found.jobs.map(({ id }) => id), ...found.epochs, format, request.url);
        return sendPrepared(
          request,
          reply,
          tag,
          async () => ({
            tag,
            bytes: await toBytes(await plots.drawJobs(params.plot, found, query), format, query, reply),
          }),
          PLOT_TYPES[format],
        );
      },
    });

    app.route({
      method: 'GET',
      url: '/training-jobs/:id/plots/path',
      config: { scope: 'predict', priority: 'low' },
      schema: {
        operationId: 'plotTrainingPath',
        summary: 'Plot the path of a training over the loss',
        description:
          'The path in the plane of its two principal components, over contours of the loss. The numbers, the options and the time it takes ' +
          `are those of \`GET …/path\`. ${PLOT_FILES}`,
        tags: ['training'],
        params: z.strictObject({ id: z.string().describe('Id of the job, `job_…`') }),
        querystring: pathPlotQuerySchema,
        readsDataset: true,
        response: { 200: plotResponse, ...problems(400, 404, 406, 422, 503) },
        responseHeaders: { 200: ['Cache-Control', 'Content-Disposition'] },
      },
      async handler(request, reply) {
        const { params, query } = request;
        const format = plotFormat(request, reply, query);
        const job = await training.get(params.id);
        const tag = tagOf(job.id, assertSucceeded(job), format, request.url);
        const prepare = async () => {
          const plot = await plots.drawPath(job, query, disconnectSignal(reply));
          describePlot(reply, `path-${job.id}`, format, true, isShared);
          return { tag, bytes: await toBytes(plot, format, query, reply) };
        };
        return sendPrepared(request, reply, tag, prepare, PLOT_TYPES[format]);
      },
    });

    app.route({
      method: 'GET',
      url: '/models/:name/versions/:version/plots/:plot',
      config: { scope: 'predict', priority: 'low' },
      schema: {
        operationId: 'plotModelVersion',
        summary: 'Plot the evaluation of a version',
        description:
          'Confusion matrix, reliability diagram (`calibration`), or precision, recall and F1 of each class (`classes`). ' +
          `The numbers are those of \`GET …/evaluation\`, so the first plot of the test split counts as a look. ${PLOT_FILES}`,
        tags: ['models'],
        params: z.strictObject({ name: modelName, version: versionName, plot: z.enum(VERSION_PLOTS) }),
        querystring: versionPlotQuerySchema,
        readsDataset: true,
        response: { 200: plotResponse, ...problems(400, 404, 406, 422, 503, 507) },
        responseHeaders: { 200: ['Cache-Control', 'Content-Disposition'] },
      },
      async handler(request, reply) {
        const { params, query } = request;
        const format = plotFormat(request, reply, query);
        const signal = disconnectSignal(reply);
        const plot = await plots.drawVersion(params.plot, params, query, signal, request.caller);
        const name = `${params.plot}-${params.name}-${plot.version}`;
        // Version numbers are never reused; aliases move.
        describePlot(reply, name, format, typeof params.version === 'number', isShared);
        const tag = contentTag(format === 'svg' ? plot.svg : `${query.density} ${plot.svg}`);
        const prepare = async () => ({ tag, bytes: await toBytes(plot, format, query, reply) });
        return sendPrepared(request, reply, tag, prepare, PLOT_TYPES[format]);
      },
    });

    async function toBytes(
      plot: Plot,
      format: PlotFormat,
      { density }: PlotQuery,
      reply: FastifyReply,
    ): Promise<Buffer> {
      return format === 'svg' ? Buffer.from(plot.svg) : plots.toPng(plot, density, disconnectSignal(reply));
    }
  };
