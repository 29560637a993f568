/** Curve chart: fractions against fractions, with the names of the curves beside the plot. */
import type { VNode } from 'preact';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from './parts/axes.ts';
import { type Box, boxWidth } from './parts/box.ts';
import { dots } from './parts/dots.ts';
import { type Child, element } from './parts/element.ts';
import { type Caption, type ChartOptions, figure } from './parts/figure.ts';
import { type Position, svgLine, svgSegment } from './parts/path-data.ts';
import { horizontalValueScale, percentScale, valueScale } from './parts/scales.ts';
import { fitText, TEXT_SIZE, text, textWidth } from './parts/text.ts';
import { DASHES, type Theme } from './parts/theme.ts';

export interface Curve {
  readonly name: string;
  /** Fractions; a point with a missing value is left out. */
  readonly x: readonly (number | null)[];
  readonly y: readonly (number | null)[];
}

export interface CurvesInput extends Caption {
  readonly xLabel: string;
  readonly yLabel: string;
  /** At most as many as there are colours. Those whose names have no room at the size are drawn like `others`. */
  readonly curves: readonly Curve[];
  /** Drawn in grey, without names. */
  readonly others?: readonly Curve[];
  /** Where a dashed line shows what to compare with. */
  readonly reference?: 'diagonal';
  /** Whether the axes show the values only, instead of 0 to 100 %. */
  readonly fitted?: boolean;
}

const SAMPLE = 18;
const ROW = 16;
/** Distance in pixels that the points of a curve keep. */
const DISTANCE = 1.5;
/** Curves up to this length mark each point. */
const MAX_DOTS = 12;

export function drawCurves(input: CurvesInput, options: ChartOptions): VNode {
  const { theme } = options;
  return figure(input, options, (area) => {
    const top = area.top + LABEL_ABOVE;
    const bottom = area.bottom - AXIS_BELOW;
    const rows = Math.max(1, Math.floor((bottom - top) / ROW));
    const named = input.curves.slice(0, rows);
    const names = named.map(({ name }) => fitText(name, boxWidth(area) * 0.38));
    const points = named.map(toPercents);
    const others = [...(input.others ?? []), ...input.curves.slice(rows)].map(toPercents);
    const all = [...points, ...others].flat();
    const y = input.fitted
      ? valueScale(
          all.map(([, value]) => value),
          { name: 'linear' },
          [bottom, top],
        )
      : percentScale('y', [bottom, top]);
    const plot: Box = {
      left: area.left + axisWidth(y.ticks),
      top,
      right: area.right - SAMPLE - 10 - Math.max(0, ...names.map((name) => textWidth(name))),
      bottom,
    };
    const x = input.fitted
      ? horizontalValueScale(
          all.map(([value]) => value),
          'linear',
          [plot.left, plot.right],
        )
      : percentScale('x', [plot.left, plot.right]);
    const place = ([across, up]: Position): Position => [x(across), y(up)];
    return [
      verticalAxis(y, input.yLabel, plot, area, theme),
      horizontalAxis(x, input.xLabel, plot, theme),
      input.reference ? drawReference(place, theme) : null,
      element(
        'g',
        { fill: 'none', stroke: theme.muted, 'stroke-opacity': 0.5 },
        others.map((positions) => element('path', { d: svgLine(thinOut(positions.map(place))) })),
      ),
      points.map((positions, i) => drawCurve(positions.map(place), i, theme)),
      names.map((name, i) => drawName(name, i, plot, theme)),
    ];
  });
}

function toPercents({ x, y }: Curve): Position[] {
  return x.flatMap((across, i) => {
    const up = y[i] ?? null;
    return across === null || up === null ? [] : [[100 * across, 100 * up] as const];
  });
}

/** Leaves out points that are too close to the one before; the last point is kept. */
function thinOut(positions: readonly Position[]): Position[] {
  const kept: Position[] = [];
  for (const position of positions) {
    const last = kept.at(-1);
    if (last && Math.hypot(position[0] - last[0], position[1] - last[1]) < DISTANCE) continue;
    kept.push(position);
  }
  return [...kept, ...positions.slice(-1)];
}

const drawReference = (place: (position: Position) => Position, theme: Theme): Child =>
  element('path', {
    d: svgSegment(place([0, 0]), place([100, 100])),
    stroke: theme.muted,
    'stroke-dasharray': '5 4',
  });

const style = (series: number, theme: Theme) => ({
  stroke: theme.series[series % theme.series.length]!,
  'stroke-width': 2,
  'stroke-dasharray': DASHES[series % DASHES.length] || undefined,
});

function drawCurve(positions: readonly Position[], series: number, theme: Theme): Child {
  const colour = theme.series[series % theme.series.length]!;
  return [
    element('path', {
      d: svgLine(thinOut(positions)),
      fill: 'none',
      'stroke-linejoin': 'round',
      ...style(series, theme),
    }),
    positions.length <= MAX_DOTS ? dots(positions, { colour, diameter: 5 }) : null,
  ];
}

function drawName(name: string, series: number, plot: Box, theme: Theme): Child {
  const y = plot.top + (series + 0.5) * ROW;
  const left = plot.right + 6;
  return [
    element('path', { d: svgSegment([left, y], [left + SAMPLE, y]), ...style(series, theme) }),
    text(left + SAMPLE + 4, y + TEXT_SIZE / 3, name, { fill: style(series, theme).stroke }),
  ];
}
