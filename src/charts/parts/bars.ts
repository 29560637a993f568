/** Bars of a chart as one path. */

import type { Box } from './box.ts';
import { createPathData } from './path-data.ts';

export function barsPath(bars: Iterable<Box>): string {
  const path = createPathData();
  for (const { left, top, right, bottom } of bars) {
    path.moveTo(left, top);
    path.lineTo(right, top);
    path.lineTo(right, bottom);
    path.lineTo(left, bottom);
    path.closePath();
  }
  return path.toString();
}
