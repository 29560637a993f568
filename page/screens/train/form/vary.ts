/** Variations of a search, as text: `16, 32, 64`, `20; 40, 20` for lists, or a range `0.001..0.5 log 5`. */
import type { Variation } from '../../../../src/domain/searches/request.ts';
import type { Leaf } from './options.ts';
import { accepts, enumNames, toText, toValue } from './values.ts';

export interface Range {
  readonly min: string;
  readonly max: string;
  readonly scale: 'linear' | 'log';
  /** Number of values in a grid. */
  readonly points: string;
}

/** A variation as it is sent; errors in it are for the service to find. */
export type SentVariation = { readonly path: string } & Readonly<Record<string, unknown>>;

/** @returns null for a list, also if it has `..`: only the scale makes a range */
export function parseRange(text: string): Range | null {
  const match = /^(.*?)\.\.(\S*) (log|linear)(?: (\S+))?$/.exec(text);
  if (!match) return null;
  const [, min = '', max = '', scale, points = ''] = match;
  return { min, max, scale: scale === 'log' ? 'log' : 'linear', points };
}

export function rangeText({ min, max, scale, points }: Range): string {
  return `${min}..${max} ${scale}${points === '' ? '' : ` ${points}`}`;
}

export function variationText({ choices, min, max, scale, points }: Variation): string {
  if (choices === undefined) {
    return rangeText({
      min: toText(min),
      max: toText(max),
      scale: scale ?? 'linear',
      points: toText(points),
    });
  }
  return choices.map((choice) => toText(choice)).join(choices.some(Array.isArray) ? '; ' : ', ');
}

/** @param isGrid a grid needs the number of values of a range; random settings ignore it */
export function buildVariation({ pointer, schema }: Leaf, text: string, isGrid: boolean): SentVariation {
  const range = parseRange(text);
  const number = { type: 'number' };
  if (range === null) {
    const parts = text.split(accepts(schema, 'array') ? ';' : ',').filter((part) => part.trim() !== '');
    return { path: pointer, choices: parts.map((part) => toValue(part, schema)) };
  }
  return {
    path: pointer,
    min: toValue(range.min, number),
    max: toValue(range.max, number),
    scale: range.scale,
    ...(accepts(schema, 'integer') && !isGrid && { step: 1 }),
    ...(isGrid && { points: toValue(range.points || '5', number) }),
  };
}

/** Values to start with: all of a list of names, or the double and the half of a number. */
export function suggestVariation({ schema, text, default: standard }: Leaf): string {
  const names = enumNames(schema);
  if (names) return names.join(', ');
  if (accepts(schema, 'boolean')) return 'false, true';
  const current = text.trim() || standard;
  if (accepts(schema, 'array')) return current;
  const value = Number(current);
  if (!(value > 0)) return current;
  const {
    maximum = Number.POSITIVE_INFINITY,
    exclusiveMaximum = Number.POSITIVE_INFINITY,
    minimum = 0,
  } = schema;
  return [value / 2, value, value * 2]
    .map((each) => (accepts(schema, 'integer') ? Math.round(each) : Number(each.toPrecision(4))))
    .filter(
      (each, i, all) =>
        each >= minimum && each <= maximum && each < exclusiveMaximum && all.indexOf(each) === i,
    )
    .join(', ');
}

export const isVaried = (leaf: Leaf): boolean => /^\/(network|training)\//.test(leaf.pointer);
