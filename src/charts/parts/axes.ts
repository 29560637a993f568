/** Axes with ticks, grid lines and labels. */
import type { VNode } from 'preact';
import type { Box } from './box.ts';
import { type Child, element } from './element.ts';
import { svgSegment } from './path-data.ts';
import type { Scale } from './scales.ts';
import { fitText, TEXT_SIZE, text, textWidth } from './text.ts';
import type { Theme } from './theme.ts';
import type { Tick } from './ticks.ts';

/** Height of the label above a vertical axis, and of the ticks and the label under a horizontal one. */
export const LABEL_ABOVE = 18;
export const AXIS_BELOW = 36;

/** Width of the tick texts left of a vertical axis. */
export const axisWidth = (ticks: readonly Tick[]): number =>
  Math.max(0, ...ticks.map(({ label }) => textWidth(label))) + 8;

/** A vertical axis left of the plot, with its label above, as wide as `area`, and by default grid lines through the plot. */
export function verticalAxis(
  scale: Scale,
  label: string,
  plot: Box,
  area: Pick<Box, 'left' | 'right'>,
  theme: Theme,
  { grid = true }: { readonly grid?: boolean } = {},
): Child {
  const { left, right } = area;
  return [
    grid ? horizontalGrid(scale, plot, theme) : null,
    tickTexts(
      scale.ticks.map((tick) => text(plot.left - 6, scale(tick.value) + TEXT_SIZE / 3, tick.label, {})),
      'end',
      theme,
    ),
    label === '' ? null : text(left, plot.top - 9, fitText(label, right - left), { fill: theme.muted }),
  ];
}

/** Lines through the plot at the ticks of a vertical scale. */
export function horizontalGrid(scale: Scale, plot: Box, theme: Theme): VNode {
  const lines = scale.ticks.map(({ value }) =>
    svgSegment([plot.left, scale(value)], [plot.right, scale(value)]),
  );
  return gridLines(lines, theme);
}

/** A horizontal axis under the plot. Ticks that would overlap are left out. */
export function horizontalAxis(
  scale: Scale,
  label: string,
  plot: Box,
  theme: Theme,
  { grid = false }: { readonly grid?: boolean } = {},
): Child {
  const shown = withoutOverlaps(scale);
  const middle = (plot.left + plot.right) / 2;
  return [
    grid
      ? gridLines(
          shown.map(({ value }) => svgSegment([scale(value), plot.top], [scale(value), plot.bottom])),
          theme,
        )
      : null,
    element('path', {
      d: shown
        .map(({ value }) => svgSegment([scale(value), plot.bottom], [scale(value), plot.bottom + 4]))
        .join(''),
      stroke: theme.muted,
    }),
    element('path', {
      d: svgSegment([plot.left, plot.bottom], [plot.right, plot.bottom]),
      stroke: theme.muted,
    }),
    tickTexts(
      shown.map((tick) => text(scale(tick.value), plot.bottom + 16, tick.label, {})),
      'middle',
      theme,
    ),
    text(middle, plot.bottom + 31, fitText(label, plot.right - plot.left), {
      fill: theme.muted,
      'text-anchor': 'middle',
    }),
  ];
}

/** Keeps the first tick and those that follow the last kept one by at least a space. */
function withoutOverlaps(scale: Scale): Tick[] {
  let end = Number.NEGATIVE_INFINITY;
  return scale.ticks.filter(({ value, label }) => {
    const half = textWidth(label) / 2;
    if (scale(value) - half < end) return false;
    end = scale(value) + half + 6;
    return true;
  });
}

function gridLines(lines: readonly string[], theme: Theme): VNode {
  return element('path', { d: lines.join(''), stroke: theme.grid });
}

function tickTexts(texts: readonly VNode[], anchor: 'middle' | 'end', theme: Theme): VNode {
  return element('g', { fill: theme.muted, 'text-anchor': anchor }, ...texts);
}
