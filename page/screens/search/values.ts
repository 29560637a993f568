/** The names of the options that vary, and their values as text. */
import { describeChoice } from '../../../src/charts/searches/options.ts';
import { optionName } from '../train/form/groups.ts';

/** The name of the option at a path: `Learning rate` for `/training/optimizer/learningRate`. */
export const fieldName = (path: string): string => optionName(path.slice(path.lastIndexOf('/') + 1));

/** Numbers with four significant digits. */
export const describeValue = (value: unknown): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(4))) : describeChoice(value);
