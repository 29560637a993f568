/** Dots of a chart as one path: lines without length and with round ends. */
import type { VNode } from 'preact';
import { element } from './element.ts';
import { createPathData } from './path-data.ts';

/** @param opacity below 1, dots that overlap are darker */
export function dots(
  positions: Iterable<readonly [number, number]>,
  { colour, diameter, opacity = 1 }: { colour: string; diameter: number; opacity?: number },
): VNode | null {
  const path = createPathData();
  for (const [x, y] of positions) {
    path.moveTo(x, y);
    path.lineTo(x, y);
  }
  const d = path.toString();
  if (d === '') return null;
  return element('path', {
    d,
    stroke: colour,
    'stroke-width': diameter,
    'stroke-linecap': 'round',
    'stroke-opacity': opacity === 1 ? undefined : opacity,
  });
}
