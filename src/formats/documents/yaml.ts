/** Writes YAML that parsers of versions 1.1 and 1.2 read alike: block collections, strings in double quotes. */

export type Yaml = string | number | readonly Yaml[] | { readonly [key: string]: Yaml };

/** Characters that some version does not allow unescaped, or reads as the end of a line. */
const ESCAPED = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** @param value its keys are written as they are: letters, digits, `_` and `-` */
export function writeYaml(value: { readonly [key: string]: Yaml }): string {
  return mapping(value, '');
}

function mapping(value: { readonly [key: string]: Yaml }, indent: string): string {
  return Object.entries(value)
    .map(([key, part]) => `${indent}${key}:${isScalar(part) ? ` ${scalar(part)}\n` : nested(part, indent)}`)
    .join('');
}

function nested(value: Exclude<Yaml, string | number>, indent: string): string {
  if (!isList(value)) return `\n${mapping(value, `${indent}  `)}`;
  if (value.length === 0) return ' []\n';
  return `\n${value.map((item) => listItem(item, indent)).join('')}`;
}

function listItem(item: Yaml, indent: string): string {
  if (isScalar(item)) return `${indent}- ${scalar(item)}\n`;
  if (isList(item)) throw new TypeError('Lists of lists are not supported.');
  // The first key follows the dash, in place of its indentation.
  return `${indent}- ${mapping(item, `${indent}  `).slice(indent.length + 2)}`;
}

function scalar(value: string | number): string {
  if (typeof value === 'string') {
    return `"${value.toWellFormed().replaceAll(/["\\]/g, '\\$&').replaceAll(ESCAPED, escapeCode)}"`;
  }
  // Without a point, version 1.1 reads a number with an exponent as a string.
  return String(value).replace(/^(-?\d+)e/, '$1.0e');
}

function escapeCode(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
}

const isScalar = (value: Yaml): value is string | number => typeof value !== 'object';
const isList = (value: Exclude<Yaml, string | number>): value is readonly Yaml[] => Array.isArray(value);
