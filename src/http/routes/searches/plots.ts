/** /v1/searches/{id}/plots/{plot}: plots of a search, as SVG or PNG. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SEARCH_PLOTS, searchPlotQuerySchema } from '../../../domain/reports/plots.ts';
import type { PlotService } from '../../../services/inspection/plots.ts';
import type { SearchService } from '../../../services/searches/lifecycle.ts';
import { registerEtag } from '../../conditional/etag.ts';
import { problems } from '../../errors/problem.ts';
import { createPlotSender, PLOT_FILES, plotFormat, plotResponse } from '../../responses/plot-files.ts';

/** @param isShared whether pages of other origins, such as notebooks, may embed plots */
export const searchPlotRoutes =
  (
    searches: Pick<SearchService, 'get' | 'trials'>,
    plots: Pick<PlotService, 'toPng'>,
    isShared: boolean,
  ): FastifyPluginAsyncZod =>
  async (app) => {
    registerEtag(app);
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
