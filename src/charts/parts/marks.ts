/** Marks of a line chart at an x: a symbol above the plot, or a vertical line, or both. */
import type { Box } from './box.ts';
import { type Child, element } from './element.ts';
import { type Position, svgLine, svgSegment } from './path-data.ts';
import type { Scale } from './scales.ts';
import type { Theme } from './theme.ts';

export interface Mark {
  readonly x: number;
  /** Shapes differ, so marks do without colours. A cursor has no symbol. */
  readonly kind: 'best' | 'warning' | 'cursor';
}

/** Half the width of a symbol, in pixels. */
export const RADIUS = 5;

/** Draws marks within the domain of `x`, one for each kind and pixel. */
export function drawMarks(marks: readonly Mark[], x: Scale, plot: Box, theme: Theme): Child {
  const [low, high] = x.domain;
  const drawn = new Map<string, Child>();
  for (const mark of marks) {
    if (mark.x < low || mark.x > high) continue;
    const at = Math.round(x(mark.x));
    drawn.set(`${mark.kind} ${at}`, drawMark(mark.kind, at, plot, theme));
  }
  return [...drawn.values()];
}

function drawMark(kind: Mark['kind'], x: number, { top, bottom }: Box, theme: Theme): Child {
  // Many epochs may have a warning, so warnings have no line.
  if (kind === 'warning') return drawSymbol(kind, x, top, theme);
  const isCursor = kind === 'cursor';
  return [
    element('path', {
      d: svgSegment([x, top], [x, bottom]),
      stroke: isCursor ? theme.ink : theme.muted,
      'stroke-dasharray': isCursor ? undefined : '2 3',
    }),
    isCursor ? null : drawSymbol(kind, x, top, theme),
  ];
}

function drawSymbol(kind: 'best' | 'warning', x: number, y: number, theme: Theme): Child {
  const top: Position = [x, y - RADIUS];
  return kind === 'best'
    ? element('path', {
        d: svgLine([top, [x + RADIUS, y], [x, y + RADIUS], [x - RADIUS, y]]),
        fill: theme.ink,
      })
    : element('path', {
        d: svgLine([top, [x + RADIUS, y + RADIUS], [x - RADIUS, y + RADIUS]]),
        fill: theme.error,
      });
}
