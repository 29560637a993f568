/** Plots as files: SVG or PNG, with a file name, for how long they may be kept, and who may embed them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { PlotFormat, PlotQuery } from '../../domain/reports/plots.ts';
import type { Plot } from '../../services/inspection/draw-plots.ts';
import type { PlotService } from '../../services/inspection/plots.ts';
import { cacheControl } from '../conditional/cache-control.ts';
import { contentTag } from '../conditional/etag.ts';
import { sendPrepared } from '../conditional/prepared.ts';
import { binaryContent } from '../openapi/request-content.ts';
import { disconnectSignal } from './client-disconnect.ts';
import { negotiate } from './negotiate.ts';

const PLOT_TYPES = { svg: 'image/svg+xml', png: 'image/png' } as const satisfies Record<PlotFormat, string>;

/** The documentation of a plot. */
export const plotResponse = {
  description: 'The plot; its file name is in Content-Disposition',
  content: { [PLOT_TYPES.svg]: { schema: z.string() }, [PLOT_TYPES.png]: binaryContent },
};
export const PLOT_FILES =
  'SVG, or PNG by `Accept: image/png` or `format=png`. The SVG stands alone: it has a title, a description and no styles or scripts.';

/** @throws AtelierError `not-acceptable` */
export function plotFormat(request: FastifyRequest, reply: FastifyReply, { format }: PlotQuery): PlotFormat {
  if (format !== undefined) return format;
  return negotiate(request, reply, [PLOT_TYPES.svg, PLOT_TYPES.png]) === PLOT_TYPES.svg ? 'svg' : 'png';
}

interface PlotFile {
  /** Without extension. */
  readonly name: string;
  readonly format: PlotFormat;
  readonly isImmutable: boolean;
  /** ETag, if it is known before the plot is drawn. */
  readonly tag?: string;
  draw(): Promise<Plot>;
}

/** @param isShared whether pages of other origins, such as notebooks, may embed plots */
export function createPlotSender(plots: Pick<PlotService, 'toPng'>, isShared: boolean) {
  return async (request: FastifyRequest, reply: FastifyReply, { density }: PlotQuery, file: PlotFile) => {
    const { name, format, isImmutable, tag: known, draw } = file;
    const isSvg = format === 'svg';
    const drawn = known === undefined ? await draw() : undefined;
    const tag = known ?? contentTag(isSvg ? drawn!.svg : `${density} ${drawn!.svg}`);
    reply.headers({
      'cache-control': cacheControl(isImmutable),
      'content-disposition': `inline; filename="${name}.${format}"`,
      ...(isShared && { 'cross-origin-resource-policy': 'cross-origin' }),
    });
    const prepare = async () => {
      const plot = drawn ?? (await draw());
      const bytes = isSvg ? Buffer.from(plot.svg) : await plots.toPng(plot, density, disconnectSignal(reply));
      return { tag, bytes };
    };
    return sendPrepared(request, reply, tag, prepare, PLOT_TYPES[format]);
  };
}
