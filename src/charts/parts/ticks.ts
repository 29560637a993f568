/** Ticks of axes: round values and their texts. */
import { ticks as roundValues, tickStep } from 'd3-array';
import { format, formatSpecifier, precisionFixed } from 'd3-format';

export interface Tick {
  readonly value: number;
  readonly label: string;
}

export type Domain = readonly [number, number];

/** @param count about as many ticks */
export function linearTicks([low, high]: Domain, count: number): Tick[] {
  const label = labelsFor(low, high, count);
  return roundValues(low, high, Math.max(1, count)).map((value) => ({ value, label: label(value) }));
}

/** Ticks at whole numbers, such as epochs: the first one and round ones. */
export function wholeTicks([low, high]: Domain, count: number): Tick[] {
  if (low === high) return [{ value: low, label: `${low}` }];
  const round = roundValues(low, high, Math.max(1, count)).filter(Number.isInteger);
  const values = new Set([low, ...round]);
  return Array.from(values, (value) => ({ value, label: format(',d')(value) }));
}

/** Ticks at 1, 2 and 5 times powers of ten, or at powers of ten, or at round values within less than an octave. */
export function logTicks([low, high]: Domain, count: number): Tick[] {
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.floor(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  const within = (values: readonly number[]) => values.filter((value) => value >= low && value <= high);
  const fine = within(powers.flatMap((power) => [1, 2, 5].map((factor) => Number(`${factor}e${power}`))));
  if (fine.length < 3) return linearTicks([low, high], count);
  const coarse = within(powers.map((power) => Number(`1e${power}`)));
  const every = Math.max(1, Math.ceil(coarse.length / Math.max(2, count)));
  const chosen = fine.length <= count ? fine : coarse.length >= 2 ? coarse : [fine[0]!, fine.at(-1)!];
  const values = chosen === coarse ? coarse.filter((_, i) => i % every === 0) : chosen;
  return values.map((value) => ({ value, label: shortNumber(value) }));
}

/** Enough digits to tell neighbouring ticks apart; very small and large values with an exponent. */
function labelsFor(low: number, high: number, count: number): (value: number) => string {
  const step = tickStep(low, high, Math.max(1, count));
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (largest >= 1e6 || largest < 1e-3) return shortNumber;
  const specifier = formatSpecifier(',f');
  specifier.precision = precisionFixed(step);
  return format(specifier.toString());
}

/** About three digits: `0.312`, `1,200`, `1e−5`. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return format('.3~e')(value).replace('e+', 'e').replace('e-', 'e−');
  return format(size >= 100 ? ',.4~r' : '.3~r')(value);
}
