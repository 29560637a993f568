/** Schemas of the OpenAPI document, written so that common generators and linters accept them. */
import type { OpenAPIV3_1 } from 'openapi-types';

type Schema = OpenAPIV3_1.SchemaObject & {
  // Keywords of JSON Schema 2020-12 that the types of OpenAPI omit.
  prefixItems?: Schema[];
  items?: Schema | boolean;
};

/** Schemas are generated for requests (`…Input`) and responses. Drops unused ones; a lone `…Input` is renamed. */
export function dropUnusedSchemas(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const schemas = { ...document.components?.schemas };
  const text = () => JSON.stringify({ ...document, components: { ...document.components, schemas } });
  for (let unused = Object.keys(schemas); unused.length > 0; ) {
    // Once per round: the document is written in milliseconds, but has more than a hundred schemas.
    const json = text();
    unused = Object.keys(schemas).filter((id) => !json.includes(`"#/components/schemas/${id}"`));
    for (const id of unused) delete schemas[id];
  }
  const renamed = Object.keys(schemas).reduce((json, id) => {
    const plain = id.replace(/Input$/, '');
    if (plain === id || plain in schemas) return json;
    return json
      .replaceAll(`"#/components/schemas/${id}"`, `"#/components/schemas/${plain}"`)
      .replace(`"${id}":`, `"${plain}":`);
  }, text());
  return JSON.parse(renamed);
}

/** Each step keeps the schema true for what the service sends and accepts; validation uses the zod schemas. */
const STEPS = [writeTupleAsArray, keepUpperBound, describeDefault, openParameters, relaxUnion];

/** Changes every schema of the document, wherever it is. */
export function simplifySchemas(document: OpenAPIV3_1.Document): void {
  visitSchemas(document, (schema) => {
    for (const step of STEPS) step(schema);
  });
}

/** Keywords whose value is data. It may look like a schema. */
const DATA = ['example', 'examples', 'default', 'const', 'enum'];
/** Keywords whose value is a map from any name. */
const MAPS = ['properties', 'schemas', 'responses', 'content', 'headers'];

function visitSchemas(node: unknown, visit: (schema: Schema) => void, isMap = false): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (isMap || !DATA.includes(key)) visitSchemas(value, visit, !isMap && MAPS.includes(key));
  }
  if (!isMap && !Array.isArray(node)) visit(node as Schema);
}

/** `prefixItems` with `items: false` is unknown to generators that read schemas as OpenAPI 3.0 does. */
function writeTupleAsArray(schema: Schema): void {
  const { prefixItems } = schema;
  if (!prefixItems) return;
  delete schema.prefixItems;
  const [first, ...others] = Map.groupBy(prefixItems, (item) => JSON.stringify(item)).values();
  const items = others.length === 0 ? first![0]! : { anyOf: [first, ...others].map((same) => same![0]!) };
  Object.assign(schema, { items, minItems: prefixItems.length, maxItems: prefixItems.length });
}

/** With both bounds, generators write a tuple type of 784 numbers. A `number[]` cannot be assigned to it. */
function keepUpperBound(schema: Schema): void {
  const { minItems, maxItems } = schema;
  if (minItems === undefined || minItems !== maxItems) return;
  delete schema.minItems;
  appendSentence(schema, `Exactly ${maxItems} items.`);
}

/** Several generators reject an object as a default. `{}` needs no words unless null is another value: each of its fields has a default. */
function describeDefault(schema: Schema): void {
  const value: unknown = schema.default;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  delete schema.default;
  const isNullable = (schema.anyOf as Schema[] | undefined)?.some(({ type }) => type === 'null');
  if (isNullable || Object.keys(value).length > 0)
    appendSentence(schema, `Default: \`${JSON.stringify(value)}\`.`);
}

/** In TypeScript, the type of further properties must include the types of the declared ones. */
function openParameters(schema: Schema): void {
  const { properties, additionalProperties } = schema;
  if (properties && typeof additionalProperties === 'object') schema.additionalProperties = true;
}

/** An alternative may omit its `type` (`sgd` does), so several alternatives may match: oneOf becomes anyOf. */
function relaxUnion(schema: Schema): void {
  const { oneOf } = schema;
  const isAmbiguous = (oneOf as Schema[] | undefined)?.some(
    ({ properties, required }) => properties?.['type'] && !required?.includes('type'),
  );
  if (!isAmbiguous) return;
  delete schema.oneOf;
  Object.assign(schema, { anyOf: oneOf });
}

function appendSentence(schema: Schema, sentence: string): void {
  const { description } = schema;
  schema.description = description ? `${description.replace(/\.?$/, '.')} ${sentence}` : sentence;
}
