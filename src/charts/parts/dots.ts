/** Dots of a chart as one path: lines without length and with round ends. */
import type { VNode } from 'preact';
import { element } from './element.ts';
import { type Position, svgSegment } from './path-data.ts';

/** @param opacity below 1, dots that overlap are darker */
export function dots(
  positions: readonly Position[],
  { colour, diameter, opacity = 1 }: { colour: string; diameter: number; opacity?: number },
): VNode | null {
  if (positions.length === 0) return null;
  return element('path', {
    d: positions.map((position) => svgSegment(position, position)).join(''),
    stroke: colour,
    'stroke-width': diameter,
    'stroke-linecap': 'round',
    'stroke-opacity': opacity === 1 ? undefined : opacity,
  });
}
