/** PNGs of weights and of charts. */
import type { WeightsQuery } from '../../domain/models/weights.ts';
import { drawWeights } from '../../formats/drawing/weights.ts';
import { rasterToPng } from '../../images/encoded.ts';
import { collectGarbage } from '../../tuning/collect-garbage.ts';
import type { ServedNetwork } from '../kernel/compile.ts';

/** The caller has checked that the layer and the unit exist. */
export interface WeightsTask extends WeightsQuery {
  readonly network: ServedNetwork;
}

/** A chart to be rasterized; its size in pixels. Each pixel becomes density² pixels. */
export interface PlotTask {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  readonly density: number;
}

/** Encoded in the thread, because the drawing of a large layer takes 50 MB. */
export function drawLayer({ network, ...query }: WeightsTask): Promise<Uint8Array> {
  return rasterToPng(drawWeights(network, query));
}

export async function drawPlot({ svg, density }: PlotTask): Promise<Uint8Array> {
  // Loaded on demand: the other tasks do not need the library.
  const { rasterizeSvg } = await import('../../charts/rasterize-svg.ts');
  const png = rasterizeSvg(svg, density);
  // The library holds the pixels until then: 4 MiB for a plot of the default size at density 2.
  collectGarbage();
  return png;
}
