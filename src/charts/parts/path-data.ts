/** Path data of lines, areas and bars of straight segments. */
import type { Box } from './box.ts';

export type Position = readonly [x: number, y: number];

/** A line; null is a gap. A position alone is a closed path, shown by its stroke as a dot. */
export function svgLine(positions: Iterable<Position | null>): string {
  return splitAtGaps(positions)
    .map((run) => writePath(run, run.length === 1))
    .join('');
}

export const svgSegment = (from: Position, to: Position): string => svgLine([from, to]);

/** The area between a line and the height `base`; null is a gap. */
export function svgArea(positions: Iterable<Position | null>, base: number): string {
  return splitAtGaps(positions)
    .map((run) => svgPolygon([...run, ...run.map(([x]): Position => [x, base]).reverse()]))
    .join('');
}

export const svgPolygon = (corners: readonly Position[]): string => writePath(corners, true);

export const svgBars = (bars: readonly Box[]): string =>
  bars
    .map(({ left, top, right, bottom }) =>
      svgPolygon([
        [left, top],
        [right, top],
        [right, bottom],
        [left, bottom],
      ]),
    )
    .join('');

function splitAtGaps(positions: Iterable<Position | null>): Position[][] {
  const runs: Position[][] = [[]];
  for (const position of positions) {
    if (position === null) runs.push([]);
    else runs.at(-1)!.push(position);
  }
  return runs.filter((run) => run.length > 0);
}

/** Coordinates are relative to the last position: half as long as absolute ones. */
function writePath(positions: readonly Position[], isClosed: boolean): string {
  let data = '';
  // In tenths of a pixel, so rounding errors do not add up.
  let [lastX, lastY] = [0, 0];
  for (const [i, position] of positions.entries()) {
    const [x, y] = [Math.round(position[0] * 10), Math.round(position[1] * 10)];
    if (i === 0) data += `M${number(x)}${separated(y)}`;
    else if (y === lastY) data += `h${number(x - lastX)}`;
    else if (x === lastX) data += `v${number(y - lastY)}`;
    else data += `l${number(x - lastX)}${separated(y - lastY)}`;
    [lastX, lastY] = [x, y];
  }
  return isClosed ? `${data}Z` : data;
}

/** The shortest text of a number of tenths: `-.3`, `12`, `1.5`. */
function number(tenths: number): string {
  const [whole, digit] = [Math.trunc(tenths / 10), Math.abs(tenths % 10)];
  if (digit === 0) return `${whole}`;
  const before = whole !== 0 ? whole : tenths < 0 ? '-' : '';
  return `${before}.${digit}`;
}

/** A second coordinate; a minus sign separates it already. */
function separated(tenths: number): string {
  return tenths < 0 ? number(tenths) : ` ${number(tenths)}`;
}
