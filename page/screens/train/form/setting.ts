/** The setting of the form: in the address, and from a request. */
import type { Setting } from './options.ts';
import { switchText } from './options.ts';
import { branches, type Schema, schemaDefault, withoutNull } from './schema.ts';
import { NULL, toText } from './values.ts';
import { variationText } from './vary.ts';

/** `network/hidden=32,16&training/epochs=3` */
export function formatSetting(setting: Setting): string {
  return Object.entries(setting)
    .map(([pointer, text]) => `${pointer.slice(1)}=${encodeURIComponent(text).replaceAll('%2C', ',')}`)
    .join('&');
}

export function parseSetting(query: string): Setting {
  return Object.fromEntries(Array.from(new URLSearchParams(query), ([name, text]) => [`/${name}`, text]));
}

/** The setting with which the form sends `request`. Other properties, such as a job's, are ignored. */
export function readSetting(request: unknown, schemas: readonly Schema[]): Setting {
  const setting: Record<string, string> = {};
  for (const schema of schemas) collect(request, schema, '', undefined, setting);
  const { vary } = request as { vary?: unknown };
  if (Array.isArray(vary)) {
    for (const variation of vary) setting[`/vary${variation.path}`] = variationText(variation);
  }
  return setting;
}

function collect(
  value: unknown,
  schema: Schema,
  pointer: string,
  parentDefault: unknown,
  into: Record<string, string>,
): void {
  if (value === undefined) return;
  const fallback = parentDefault ?? schemaDefault(schema);
  const { schema: inner, isNullable } = withoutNull(schema);
  const types = branches(inner);
  const { type } = (value ?? {}) as { type?: string };
  const object = types ? types.get(type ?? [...types.keys()][0]!) : inner;
  if (object?.properties === undefined) {
    const text = value === null && (fallback ?? null) !== null ? NULL : toText(value, schema);
    if (text !== toText(fallback, schema)) into[pointer] = text;
    return;
  }
  const isOnByDefault = typeof fallback === 'object' && fallback !== null;
  if (isNullable && (value !== null) !== isOnByDefault) into[pointer] = switchText(value !== null);
  if (value === null) return;
  for (const [name, child] of Object.entries(object.properties)) {
    const below = isOnByDefault ? (fallback as Record<string, unknown>)[name] : undefined;
    if (types && name === 'type') {
      if (type !== undefined && type !== (below ?? [...types.keys()][0])) into[`${pointer}/type`] = type;
    } else {
      collect((value as Record<string, unknown>)[name], child, `${pointer}/${name}`, below, into);
    }
  }
}
