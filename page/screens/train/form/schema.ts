/** The part of JSON Schema that requests of the API use. `scripts/page.ts` puts the schemas of openapi.json into the bundle. */

export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

export const alternatives = (schema: Schema): readonly Schema[] => schema.anyOf ?? schema.oneOf ?? [schema];

/** The schema without null, and whether null is allowed. */
export function withoutNull(schema: Schema): { readonly schema: Schema; readonly isNullable: boolean } {
  const all = alternatives(schema);
  const rest = all.filter(({ type }) => type !== 'null');
  if (rest.length === all.length) return { schema, isNullable: false };
  return { schema: rest.length === 1 ? rest[0]! : { anyOf: rest }, isNullable: true };
}

/** The objects of a union by their `type`; null for other schemas. */
export function branches(schema: Schema): ReadonlyMap<string, Schema> | null {
  const all = alternatives(schema);
  const named = all.flatMap((each) => {
    const name = each.properties?.['type']?.const;
    return typeof name === 'string' ? [[name, each] as const] : [];
  });
  return named.length === all.length ? new Map(named) : null;
}

/** The default of an option. That of some objects is only in the description. */
export function schemaDefault(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default;
  const described = /Default: `(.*)`/.exec(schema.description ?? '')?.[1];
  return described === undefined ? undefined : JSON.parse(described);
}
