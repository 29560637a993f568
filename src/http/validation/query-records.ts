/** Records in a query: `metadata.team=vision`, or `metadata[team]=vision`, the `deepObject` style of OpenAPI. */
import { z } from 'zod';

type Query = Readonly<Record<string, unknown>>;

/** Names of the fields of a query schema that are records. */
export function recordNames(schema: unknown): string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const inner = field instanceof z.ZodOptional ? field.unwrap() : field;
    return inner instanceof z.ZodRecord ? [name] : [];
  });
}

/** Collects `name.key` and `name[key]` into an object under `name`. The text after the first point is the key. */
export function collectRecords(query: Query, names: readonly string[]): Query {
  const collected: Record<string, unknown> = Object.create(null);
  for (const [parameter, value] of Object.entries(query)) {
    const entry = splitParameter(parameter, names);
    if (entry === undefined) {
      collected[parameter] = value;
      continue;
    }
    collected[entry.name] ??= {};
    const record = collected[entry.name] as Record<string, unknown>;
    // The schema rejects a value without a key.
    if (typeof record !== 'object') continue;
    record[entry.key] = Object.hasOwn(record, entry.key) ? [record[entry.key], value].flat() : value;
  }
  return collected;
}

function splitParameter(
  parameter: string,
  names: readonly string[],
): { name: string; key: string } | undefined {
  const [, name, point, bracket] = /^(\w+)(?:\.(.+)|\[(.+)\])$/s.exec(parameter) ?? [];
  const key = point ?? bracket;
  // No metadata have the key __proto__. An assignment with it would set the prototype.
  if (name === undefined || key === undefined || key === '__proto__') return undefined;
  return names.includes(name) ? { name, key } : undefined;
}
