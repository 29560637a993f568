/** …/plots/{plot}: plots of training jobs, searches and model versions, as SVG or PNG. */
import { z } from 'zod';
import {
  JOB_PLOTS,
  jobPlotQuerySchema,
  pathPlotQuerySchema,
  SEARCH_PLOTS,
  searchPlotQuerySchema,
  VERSION_PLOTS,
  versionPlotQuerySchema,
} from '../../domain/reports/plots.ts';
import { assertSucceeded } from '../../services/inspection/sgd-paths.ts';
import { formatTag } from '../conditional/prepared.ts';
import { problems } from '../errors/problem.ts';
import { disconnectSignal } from '../responses/client-disconnect.ts';
import { createPlotSender, PLOT_FILES, plotFormat, plotResponse } from '../responses/plot-files.ts';
import type { Routes } from './context.ts';
import { modelName, versionName } from './models/collection.ts';

export const plotRoutes: Routes = async (app, { plots, training, isShared }) => {
  const sendPlot = createPlotSender(plots, isShared);

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
      return sendPlot(request, reply, query, {
        name: `${params.plot}-${params.id}`,
        format,
        isImmutable: found.isFinal,
        tag: formatTag(...found.jobs.map(({ id }) => id), ...found.epochs, format, request.url),
        draw: () => plots.drawJobs(params.plot, found, query),
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/training-jobs/:id/plots/path',
    config: { scope: 'predict', priority: 'low', sameOrigin: true },
    schema: {
      operationId: 'plotTrainingPath',
      summary: 'Plot the path of a training over the loss',
      description:
        'The path in the plane of its two principal components, over contours of the loss. The numbers, the options and the time it takes ' +
        `are the same as for \`GET …/path\`. ${PLOT_FILES}`,
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
      return sendPlot(request, reply, query, {
        name: `path-${job.id}`,
        format,
        isImmutable: true,
        tag: formatTag(job.id, assertSucceeded(job), format, request.url),
        draw: () => plots.drawPath(job, query, disconnectSignal(reply)),
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/plots/:plot',
    config: { scope: 'predict', priority: 'low', sameOrigin: true },
    schema: {
      operationId: 'plotModelVersion',
      summary: 'Plot the evaluation of a version',
      description:
        'Confusion matrix, reliability diagram (`calibration`), precision, recall and F1 of each class (`classes`), ROC curves (`roc`), ' +
        'precision–recall curves, the accuracy if only the images with the highest probabilities are answered (`answered`), or the measured `coverage`. ' +
        `The numbers come from \`GET …/evaluation\`, \`…/evaluation/ranking\` and \`…/evaluation/coverage\`, so the first plot of the test split counts as a look. ${PLOT_FILES}`,
      tags: ['models'],
      params: z.strictObject({ name: modelName, version: versionName, plot: z.enum(VERSION_PLOTS) }),
      querystring: versionPlotQuerySchema,
      readsDataset: true,
      response: { 200: plotResponse, ...problems(400, 404, 406, 409, 422, 503, 507) },
      responseHeaders: { 200: ['Cache-Control', 'Content-Disposition'] },
    },
    async handler(request, reply) {
      const { params, query } = request;
      const format = plotFormat(request, reply, query);
      const signal = disconnectSignal(reply);
      const plot = await plots.drawVersion(params.plot, params, query, signal, request.caller);
      return sendPlot(request, reply, query, {
        name: `${params.plot}-${params.name}-${plot.version}`,
        format,
        // Version numbers are never reused; aliases move, and a version can be calibrated again.
        isImmutable: typeof params.version === 'number' && params.plot !== 'coverage',
        draw: async () => plot,
      });
    },
  });
};

export const searchPlotRoutes: Routes = async (app, { searches, plots, isShared }) => {
  const sendPlot = createPlotSender(plots, isShared);

  app.route({
    method: 'GET',
    url: '/searches/:id/plots/:plot',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'plotSearch',
      summary: 'Plot the trials of a search',
      description:
        'The objective of each trial in order (`history`), by each option that varies (`slices`), or at each rung (`rungs`). ' +
        `${PLOT_FILES} \`Cache-Control\` is \`immutable\` once the search has ended.`,
      tags: ['searches'],
      params: z.strictObject({
        id: z.string().describe('Id of the search, `sea_…`'),
        plot: z.enum(SEARCH_PLOTS),
      }),
      querystring: searchPlotQuerySchema,
      response: { 200: plotResponse, ...problems(400, 404, 406, 422, 503) },
      responseHeaders: { 200: ['Cache-Control', 'Content-Disposition'] },
    },
    async handler(request, reply) {
      const { params, query } = request;
      const format = plotFormat(request, reply, query);
      const search = await searches.get(params.id);
      const trials = await searches.trials(params.id);
      const { drawSearchPlot } = await import('../../services/searches/plots.ts');
      const plot = drawSearchPlot(params.plot, search, trials, query);
      return sendPlot(request, reply, query, {
        name: `${params.plot}-${params.id}`,
        format,
        isImmutable: search.finishedAt !== null,
        draw: async () => plot,
      });
    },
  });
};
