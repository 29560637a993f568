/** Plots as files: SVG or PNG, with a file name, for how long they may be kept, and who may embed them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { PlotFormat, PlotQuery } from '../../domain/reports/plots.ts';
import { cacheControl } from '../conditional/cache-control.ts';
import { binaryContent } from '../openapi/request-content.ts';
import { negotiate } from './negotiate.ts';

export const PLOT_TYPES = { svg: 'image/svg+xml', png: 'image/png' } as const satisfies Record<
  PlotFormat,
  string
>;

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

/**
 * Sets the headers of a plot.
 * @param name of the file, without extension
 * @param isShared whether pages of other origins may embed it
 */
export function describePlot(
  reply: FastifyReply,
  name: string,
  format: PlotFormat,
  isImmutable: boolean,
  isShared: boolean,
): void {
  reply.headers({
    'cache-control': cacheControl(isImmutable),
    'content-disposition': `inline; filename="${name}.${format}"`,
    ...(isShared && { 'cross-origin-resource-policy': 'cross-origin' }),
  });
}
