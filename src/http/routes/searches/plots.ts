/** /v1/searches/{id}/plots/{plot}: plots of a search, as SVG or PNG. */
import { z } from 'zod';
import { SEARCH_PLOTS, searchPlotQuerySchema } from '../../../domain/reports/plots.ts';
import { problems } from '../../errors/problem.ts';
import { createPlotSender, PLOT_FILES, plotFormat, plotResponse } from '../../responses/plot-files.ts';
import type { Routes } from '../context.ts';

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
      const { drawSearchPlot } = await import('../../../services/searches/plots.ts');
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
