/** Scales: from data to pixels. */

import { scaleLinear, scaleLog } from 'd3-scale';
import type { PlotScale } from '../../domain/reports/plots.ts';
import { type Domain, linearTicks, logTicks, type Tick, wholeTicks } from './ticks.ts';

export interface Scale {
  (value: number): number;
  readonly domain: Domain;
  readonly ticks: readonly Tick[];
}

/** Pixels between two ticks, at least about. */
const TICK_DISTANCE = { x: 70, y: 32 };

export const tickCount = (axis: 'x' | 'y', from: number, to: number): number =>
  Math.max(1, Math.floor(Math.abs(to - from) / TICK_DISTANCE[axis]));

/**
 * A vertical scale that shows all values.
 * @param values finite; above 0 for a logarithmic scale
 * @param options.fromZero whether a linear scale starts at 0
 */
export function valueScale(
  values: Iterable<number>,
  { name, fromZero = false }: { readonly name: PlotScale; readonly fromZero?: boolean },
  [bottom, top]: readonly [number, number],
): Scale {
  const count = tickCount('y', bottom, top);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (name === 'log') {
    const domain: Domain =
      low > high ? [0.1, 1] : [low / paddingFactor(low, high), high * paddingFactor(low, high)];
    return Object.assign(scaleLog([...domain], [bottom, top]), { domain, ticks: logTicks(domain, count) });
  }
  if (low > high) [low, high] = [0, 1];
  // A constant value is in the middle of the axis.
  if (fromZero && low === high) high *= 2;
  if (fromZero) low = Math.min(0, low);
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const domain = scaleLinear([low, high], [bottom, top]).nice(count).domain() as [number, number];
  return linearScale(domain, [bottom, top], linearTicks(domain, count));
}

/** A twentieth of the height on both sides; a factor of 2 if all values are equal. */
const paddingFactor = (low: number, high: number): number => (low === high ? 2 : (high / low) ** 0.05);

/** A horizontal scale that shows all values. */
export function horizontalValueScale(
  values: Iterable<number>,
  name: PlotScale,
  [left, right]: readonly [number, number],
): Scale {
  const scale = valueScale(values, { name }, [left, right]);
  const count = tickCount('x', left, right);
  const ticks = name === 'log' ? logTicks(scale.domain, count) : linearTicks(scale.domain, count);
  return Object.assign((value: number) => scale(value), { domain: scale.domain, ticks });
}

/** A horizontal scale of whole numbers, such as epochs. A single one is in the middle. */
export function wholeScale([low, high]: Domain, range: readonly [number, number]): Scale {
  const domain: Domain = low === high ? [low - 1, high + 1] : [low, high];
  return linearScale(domain, range, wholeTicks([low, high], tickCount('x', ...range)));
}

/** A scale from 0 to 100. */
export function percentScale(axis: 'x' | 'y', range: readonly [number, number]): Scale {
  const domain: Domain = [0, 100];
  return linearScale(domain, range, linearTicks(domain, Math.min(10, tickCount(axis, ...range))));
}

/** Interpolates like d3-scale. Its functions take five times as long: too much for long lines. */
export function linearScale(
  domain: Domain,
  [from, to]: readonly [number, number],
  ticks: readonly Tick[],
): Scale {
  const [low, high] = domain;
  const scale = (value: number) => {
    const at = (value - low) / (high - low);
    return from * (1 - at) + to * at;
  };
  return Object.assign(scale, { domain, ticks });
}
