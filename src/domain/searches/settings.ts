/** Settings of a search: the values of each trial, a pure function of the request. */
import { PURPOSE, randomUniform } from '../../numerics/random.ts';
import type { SearchRequest, Variation } from './request.ts';
import { MAX_SETTINGS } from './request.ts';

/** One value for each variation. */
export type Setting = readonly unknown[];

/** Draws per setting of the largest search. Collecting 1,000 equally likely settings takes 7,500 draws on average. */
const MAX_DRAWS_FACTOR = 40;

const SIGNIFICANT_DIGITS = 4;

/** The values of a variation in a grid; null for a range without `points` and `step`. */
export function gridValues(variation: Variation): readonly unknown[] | null {
  const { choices, min = 0, max = 0, scale, points } = variation;
  if (choices !== undefined) return choices;
  const count = stepCount(variation);
  if (count !== null)
    return Array.from({ length: Math.min(count, MAX_SETTINGS + 1) }, (_, n) => stepAt(variation, n));
  if (points === undefined) return null;
  return Array.from({ length: points }, (_, n) => {
    if (n === 0) return min;
    return n === points - 1 ? max : interpolate(min, max, scale, n / (points - 1));
  });
}

/** Smallest and largest value of a range; with a step, of those that it has. */
export function rangeEnds(variation: Variation): { readonly min: number; readonly max: number } {
  const { min = 0, max = 0 } = variation;
  const count = stepCount(variation);
  return { min, max: count === null ? max : stepAt(variation, count - 1) };
}

/** The first value of each variation. */
export const firstSetting = ({ vary }: Pick<SearchRequest, 'vary'>): Setting =>
  vary.map(({ choices, min }) => (choices === undefined ? min : choices[0]));

/** The number of different settings; infinite if a range has no step. */
export function countSettings({ vary, method }: Pick<SearchRequest, 'vary' | 'method'>): number {
  return vary.reduce((product, variation) => {
    if (method.type === 'grid') return product * gridValues(variation)!.length;
    return product * (variation.choices?.length ?? stepCount(variation) ?? Number.POSITIVE_INFINITY);
  }, 1);
}

/**
 * All settings of the method, without the limit of a budget. A grid varies the last dimension first. Random setting by
 * random setting, dimension d of draw t is Threefry(seed, search, t, d); a draw that repeats an earlier one is left out.
 * There must be enough settings.
 */
export function proposeSettings(request: Pick<SearchRequest, 'vary' | 'method' | 'seed'>): Setting[] {
  const { vary, method, seed } = request;
  if (method.type === 'grid') {
    return vary.reduce<Setting[]>(
      (settings, variation) =>
        settings.flatMap((setting) => gridValues(variation)!.map((value) => [...setting, value])),
      [[]],
    );
  }
  const settings = new Map<string, Setting>();
  const maxDraws = MAX_DRAWS_FACTOR * MAX_SETTINGS;
  for (let draw = 0; settings.size < method.trials && draw < maxDraws; draw++) {
    const setting = vary.map((variation, d) =>
      valueAt(variation, randomUniform(seed, PURPOSE.search, draw, d)),
    );
    const key = JSON.stringify(setting);
    if (!settings.has(key)) settings.set(key, setting);
  }
  return [...settings.values()];
}

/** The value at position u of [0, 1). */
function valueAt(variation: Variation, u: number): unknown {
  const { choices, min = 0, max = 0, scale, step } = variation;
  if (choices !== undefined) return choices[Math.floor(u * choices.length)];
  const count = stepCount(variation);
  if (count === null || step === undefined) return interpolate(min, max, scale, u);
  if (scale !== 'log') return stepAt(variation, Math.floor(u * count));
  const position = (interpolate(min, max, scale, u) - min) / step;
  return stepAt(variation, Math.min(count - 1, Math.round(position)));
}

/** Rounded, so that the value is short and does not depend on the last bit of a logarithm. */
function interpolate(min: number, max: number, scale: Variation['scale'], u: number): number {
  const exact =
    scale === 'log' ? Math.exp(Math.log(min) + u * (Math.log(max) - Math.log(min))) : min + u * (max - min);
  return Math.min(max, Math.max(min, Number(exact.toPrecision(SIGNIFICANT_DIGITS))));
}

/** The number of values of a range with a step; null without one. */
function stepCount({ min = 0, max = 0, step }: Variation): number | null {
  // The quotient of 0.3 and 0.1 is below 3.
  return step === undefined ? null : Math.floor((max - min) / step + 1e-9) + 1;
}

function stepAt({ min = 0, step = 0 }: Variation, n: number): number {
  return Number((min + n * step).toPrecision(12));
}
