/** The values that vary, as text and as positions in a chart. */
import type { Variation } from '../../../src/domain/search/request.ts';
import type { SearchOption } from '../../../src/formats/charts/search-slices.ts';
import { optionName } from '../train/groups.ts';

/** The name of the option at a path: `Learning rate` for `/training/optimizer/learningRate`. */
export const nameOf = (path: string): string => optionName(path.slice(path.lastIndexOf('/') + 1));

/** Lists of units as `40-20`; other values as JSON, without quotation marks. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.join('-') || 'none';
  if (typeof value === 'number') return String(Number(value.toPrecision(4)));
  return JSON.stringify(value).replaceAll('"', '');
}

export const toOption = ({ path, choices, scale }: Variation): SearchOption => ({
  name: nameOf(path),
  kind: choices === undefined ? (scale ?? 'linear') : 'choices',
  choices: choices?.map(describeValue) ?? [],
});

/** A number of a range, or the index of a choice. */
export function settingOf({ choices }: Variation, value: unknown): number {
  if (choices === undefined) return value as number;
  const text = JSON.stringify(value);
  return choices.findIndex((choice) => JSON.stringify(choice) === text);
}
