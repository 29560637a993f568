/** Options that vary in a search, as its charts need them. */
import type { Variation } from '../../domain/searches/request.ts';
import type { SearchOption } from './slices.ts';

/** @param describe text of a choice */
export function toOption(
  { choices, scale }: Variation,
  name: string,
  describe: (choice: unknown) => string = describeChoice,
): SearchOption {
  if (choices === undefined) return { name, kind: scale ?? 'linear', choices: [] };
  return { name, kind: 'choices', choices: choices.map(describe) };
}

/** Lists of units as `40-20`; other values as JSON, without quotation marks. */
export function describeChoice(choice: unknown): string {
  if (Array.isArray(choice)) return choice.join('-') || 'none';
  return JSON.stringify(choice).replaceAll('"', '');
}

/** A number of a range, or the index of a choice. */
export function settingIndex({ choices }: Variation, value: unknown): number {
  if (choices === undefined) return value as number;
  const text = JSON.stringify(value);
  return choices.findIndex((choice) => JSON.stringify(choice) === text);
}
