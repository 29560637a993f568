/** Charts: time to draw an SVG and to rasterize it, and the size of both. */

import { rasterizeSvg } from '../../src/charts/rasterize-svg.ts';
import { renderSvg } from '../../src/charts/render.ts';
import { LIGHT, sampleCharts, sampleDrawings } from '../../test/charts/samples.ts';
import { median } from '../machine.ts';
import type { Report } from '../measure/report.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';

const DENSITY = 2;
/** Drawings of one turn. The median counts. */
const REPETITIONS = 20;

/** Milliseconds. */
interface Times {
  readonly svg: number;
  readonly png: number;
}

export async function charts(effort: Effort): Promise<Report> {
  const drawings = sampleDrawings(LIGHT);
  const svgs = new Map(Array.from(sampleCharts(LIGHT), ([name, chart]) => [name, renderSvg(chart)]));
  const contestants = Array.from(drawings, ([name, draw]) => ({
    name,
    measure: async (): Promise<Times> => ({
      svg: timed(() => renderSvg(draw())),
      png: timed(() => rasterizeSvg(svgs.get(name)!, DENSITY)),
    }),
  }));
  await takeTurns(contestants, 1);
  const results = await takeTurns(contestants, effort.rounds);
  const milliseconds = (kind: keyof Times) =>
    Array.from(results.values(), (turns) => median(turns.map((times) => times[kind])));
  const kilobytes = Array.from(svgs.values(), (svg) => Buffer.byteLength(svg) / 1024);
  return {
    title: 'Charts',
    method:
      `Milliseconds to draw one chart of ${LIGHT.width} × ${LIGHT.height} from its data as SVG text, and to rasterize that text at density ${DENSITY}; ` +
      `one thread, median of ${effort.rounds} turns of ${REPETITIONS} drawings, after one to warm up.`,
    versions: [],
    skipped: [],
    tables: [
      {
        heading: 'One chart',
        columns: [
          'chart',
          'SVG, KB',
          'SVG, ms',
          'smallest – largest',
          'PNG, KB',
          'PNG, ms',
          'smallest – largest',
        ],
        rows: Array.from(results, ([name, turns]) => [
          name,
          readable(Buffer.byteLength(svgs.get(name)!) / 1024),
          ...spread(turns.map(({ svg }) => svg)),
          readable(rasterizeSvg(svgs.get(name)!, DENSITY).length / 1024),
          ...spread(turns.map(({ png }) => png)),
        ]),
      },
    ],
    goals: [
      { what: 'largest SVG, KB', measured: Math.max(...kilobytes), atMost: 25 },
      { what: 'slowest SVG, ms', measured: Math.max(...milliseconds('svg')), atMost: 5 },
      { what: 'slowest PNG, ms', measured: Math.max(...milliseconds('png')), atMost: 60 },
    ],
  };
}

function timed(draw: () => unknown): number {
  return median(
    Array.from({ length: REPETITIONS }, () => {
      const start = performance.now();
      draw();
      return performance.now() - start;
    }),
  );
}
