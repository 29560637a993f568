/** Values of options as the text of a control, and back. */
import { alternatives, type Schema } from './schema.ts';

/** Text of an empty list; an empty text is an option that is not set. */
export const EMPTY_LIST = 'none';

/** Text of null where it is not the default. */
export const NULL = 'null';

/** @param schema distinguishes references to a version from other objects */
export function toText(value: unknown, schema: Schema = {}): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.length === 0 ? EMPTY_LIST : value.map(itemText).join(', ');
  if (typeof value !== 'object') return String(value);
  if ('name' in value && accepts(schema, 'string')) {
    return 'version' in value ? `${value.name}@${value.version}` : String(value.name);
  }
  return Object.keys(value).length === 0 ? '' : JSON.stringify(value);
}

/** A list within a list is separated by spaces: 32 32, 64 64. */
const itemText = (item: unknown): string => (Array.isArray(item) ? item.join(' ') : toText(item));

const flat = (schema: Schema): Schema[] => {
  const all = alternatives(schema);
  return all.length === 1 ? [...all] : all.flatMap(flat);
};

/** The names that an option may have, null included, or null if it takes other values. */
export function enumNames(schema: Schema): readonly string[] | null {
  const all = flat(schema);
  const names = all.flatMap((each) => each.enum ?? []);
  if (names.length === 0) return null;
  return all.some(({ type }) => type === 'null') ? [...names, NULL] : names;
}

export const accepts = (schema: Schema, type: string): boolean =>
  flat(schema).some((each) => each.type === type);

/** Whether the items of a list may be lists. */
export const holdsLists = (schema: Schema): boolean =>
  flat(schema).some(({ items }) => items !== undefined && accepts(items, 'array'));

/** The value of a text. A text that does not fit is kept, so the service describes the error. */
export function toValue(text: string, schema: Schema): unknown {
  const trimmed = text.trim();
  if (trimmed === NULL && accepts(schema, 'null')) return null;
  if (accepts(schema, 'array')) {
    if (trimmed === EMPTY_LIST) return [];
    if (!accepts(schema, 'string') || /^[\d.\s,]+$/.test(trimmed)) {
      return holdsLists(schema) ? toLists(trimmed) : toNumbers(trimmed, /[\s,]+/);
    }
  }
  if (accepts(schema, 'number') || accepts(schema, 'integer')) return toNumber(trimmed);
  if (accepts(schema, 'boolean')) return trimmed === 'true';
  if (accepts(schema, 'object') && trimmed.startsWith('{')) return parsed(trimmed);
  return trimmed;
}

const toNumbers = (text: string, separator: RegExp): (number | string)[] =>
  text.split(separator).filter(Boolean).map(toNumber);

/** `16, 32 32` → 16 and the list of twice 32. */
export const toLists = (text: string): unknown[] =>
  text
    .split(',')
    .map((item) => toNumbers(item, /\s+/))
    .map((list) => (list.length === 1 ? list[0] : list));

function toNumber(text: string): number | string {
  const number = Number(text);
  return text === '' || !Number.isFinite(number) ? text : number;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
