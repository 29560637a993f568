import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenAPIV3_1 } from 'openapi-types';
import { dropUnusedSchemas, simplifySchemas } from '../../../src/http/openapi/schemas.ts';

const ref = (id: string) => ({ $ref: `#/components/schemas/${id}` });
const withSchemas = (schemas: object, paths: object = {}) =>
  ({ paths, components: { schemas } }) as unknown as OpenAPIV3_1.Document;
/** The schema after all steps. */
function simplify(schema: object): object {
  const document = withSchemas({ Shown: structuredClone(schema) });
  simplifySchemas(document);
  return document.components!.schemas!['Shown']!;
}

test('schemas that nothing refers to are dropped, also those that only dropped ones refer to', () => {
  const schemas = { Used: { items: ref('Part') }, Part: {}, Unused: { items: ref('Lost') }, Lost: {} };
  const document = withSchemas(schemas, { '/a': ref('Used') });
  assert.deepEqual(Object.keys(dropUnusedSchemas(document).components!.schemas!), ['Used', 'Part']);
  assert.equal(Object.keys(document.components!.schemas!).length, 4);
});

test('the schema of a request loses its suffix, unless a response has the plain name', () => {
  const paths = { '/a': [ref('OnlyInput'), ref('BothInput'), ref('Both')] };
  const renamed = dropUnusedSchemas(withSchemas({ OnlyInput: {}, BothInput: {}, Both: {} }, paths));
  assert.deepEqual(Object.keys(renamed.components!.schemas!), ['Only', 'BothInput', 'Both']);
  assert.deepEqual(renamed.paths, { '/a': [ref('Only'), ref('BothInput'), ref('Both')] });
});

test('a tuple is an array of a fixed length, whose items are one of its different ones', () => {
  const [a, b] = [{ type: 'number' }, { type: 'string' }];
  assert.deepEqual(simplify({ prefixItems: [a, a], items: false }), {
    items: a,
    maxItems: 2,
    description: 'Exactly 2 items.',
  });
  assert.deepEqual(simplify({ prefixItems: [a, b, a], description: 'A row' }), {
    items: { anyOf: [a, b] },
    maxItems: 3,
    description: 'A row. Exactly 3 items.',
  });
});

test('of two equal bounds the upper one is kept', () => {
  assert.deepEqual(simplify({ minItems: 2, maxItems: 2, description: 'A pair.' }), {
    maxItems: 2,
    description: 'A pair. Exactly 2 items.',
  });
  for (const schema of [{ minItems: 1, maxItems: 2 }, { maxItems: 2 }, { minItems: 1 }])
    assert.deepEqual(simplify(schema), schema);
});

test('a default that is an object is described, unless it is empty', () => {
  assert.deepEqual(simplify({ default: { a: 1 } }), { description: 'Default: `{"a":1}`.' });
  assert.deepEqual(simplify({ default: {} }), {});
  for (const schema of [{ default: 3 }, { default: [1] }, { default: null }])
    assert.deepEqual(simplify(schema), schema);
});

test('further properties beside declared ones may be anything', () => {
  const string = { type: 'string' };
  assert.deepEqual(simplify({ properties: { a: string }, additionalProperties: string }), {
    properties: { a: string },
    additionalProperties: true,
  });
  for (const schema of [{ additionalProperties: string }, { properties: {}, additionalProperties: false }])
    assert.deepEqual(simplify(schema), schema);
});

test('alternatives may match together if one of them may omit its type', () => {
  const [omits, states] = [{ properties: { type: {} } }, { properties: { type: {} }, required: ['type'] }];
  assert.deepEqual(simplify({ oneOf: [states, omits] }), { anyOf: [states, omits] });
  for (const schema of [{ oneOf: [states, states] }, { oneOf: [{ properties: { a: {} } }] }])
    assert.deepEqual(simplify(schema), schema);
});

test('data is no schema, even if it looks like one, and a property may have the name of a keyword', () => {
  const pair = { minItems: 2, maxItems: 2 };
  for (const keyword of ['example', 'examples', 'const', 'enum']) {
    const schema = { [keyword]: [pair] };
    assert.deepEqual(simplify(schema), schema);
  }
  const simple = { maxItems: 2, description: 'Exactly 2 items.' };
  assert.deepEqual(simplify({ properties: { example: pair, maxItems: pair, minItems: pair } }), {
    properties: { example: simple, maxItems: simple, minItems: simple },
  });
  assert.deepEqual(simplify({ properties: { properties: pair } }), { properties: { properties: simple } });
  assert.deepEqual(simplify({ items: pair }), { items: simple });
  assert.deepEqual(simplify({ anyOf: [{ items: pair }] }), { anyOf: [{ items: simple }] });
});
