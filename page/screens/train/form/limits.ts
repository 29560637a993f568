/** The limits of an option as text, such as `1 to 1,024`. */
import { count } from '../../../format.ts';
import type { Leaf } from './options.ts';
import { alternatives, type Schema } from './schema.ts';
import { EMPTY_LIST, holdsLists } from './values.ts';

export function describeLimits({ schema }: Leaf): string {
  if (schema.type === 'object') return 'As JSON, such as {"course": "ML"}';
  const parts = alternatives(schema).flatMap((each) => {
    if (each.type === 'array' && each.items) {
      const orNone = schema.type === 'array' ? `, or ${EMPTY_LIST}` : '';
      if (holdsLists(each)) return [`Numbers separated by commas, lists by spaces: 16, 32 32${orNone}`];
      return [`Numbers, ${describeRange(each.items)}, separated by commas${orNone}`];
    }
    return [describeRange(each)].filter((range) => range !== '');
  });
  const text = parts.join(' or ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function describeRange(schema: Schema): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const number = (value: number) => (Number.isInteger(value) ? count(value) : String(value));
  const low =
    minimum !== undefined
      ? number(minimum)
      : exclusiveMinimum !== undefined && `above ${number(exclusiveMinimum)}`;
  const high =
    maximum !== undefined
      ? number(maximum)
      : exclusiveMaximum !== undefined && `below ${number(exclusiveMaximum)}`;
  if (low && high) return `${low}${exclusiveMinimum === undefined ? '' : ','} to ${high}`;
  return low || high || '';
}
