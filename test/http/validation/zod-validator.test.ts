import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { AtelierError } from '../../../src/errors.ts';
import { creationFilters, metadataFilter } from '../../../src/http/validation/list-filters.ts';
import { paginationQuery, toList } from '../../../src/http/validation/pagination.ts';
import { parseBody, validatorCompiler } from '../../../src/http/validation/zod-validator.ts';

type Part = 'body' | 'querystring' | 'params' | 'headers';
type Result = { value?: unknown; error?: AtelierError };

function validate(httpPart: Part, shape: z.ZodRawShape, data: unknown): Result {
  const compiled = validatorCompiler({ schema: z.strictObject(shape), method: 'GET', url: '/', httpPart });
  return compiled(data) as Result;
}
const list = { ...paginationQuery, ...creationFilters, metadata: metadataFilter };
const query = (data: object) => validate('querystring', list, data);
const rejected = (data: object) => query(data).error?.details;

test('an empty query has the defaults, and a record is read from its keys', () => {
  assert.deepEqual(query({}), { value: { limit: 20 } });
  assert.deepEqual(query({ limit: '100', 'metadata.team': 'a' }), {
    value: { limit: 100, metadata: { team: 'a' } },
  });
  assert.deepEqual(validate('querystring', { a: z.string() }, {}).error?.details, [
    { parameter: 'a', detail: 'Is required.' },
  ]);
});

test('limits the length of a page, and the number and the lengths of entries of metadata', () => {
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`metadata.${n}`, 'a']));
  for (const allowed of [
    { limit: '1' },
    { after: 'a'.repeat(64) },
    entries(8),
    { [`metadata.${'a'.repeat(64)}`]: 'b'.repeat(256) },
  ])
    assert.equal(query(allowed).error, undefined);
  for (const [data, parameter, detail] of [
    [{ limit: '0' }, 'limit', 'Must be a whole number from 1 to 100.'],
    [{ limit: '101' }, 'limit', 'Must be a whole number from 1 to 100.'],
    [{ after: '' }, 'after', 'Must not be empty.'],
    [{ after: 'a'.repeat(65) }, 'after', 'Must have at most 64 characters, but has 65.'],
    [entries(9), 'metadata', 'Must have at most 8 entries.'],
    [{ metadata: 'a' }, 'metadata', 'Must be given with a key, as in metadata.team=vision.'],
    [{ 'metadata.a': 'b'.repeat(257) }, 'metadata.a', 'Must have at most 256 characters, but has 257.'],
    [
      { createdAfter: '2026-11-26T12:00:00' },
      'createdAfter',
      'Must be a time of RFC 3339 with its zone, such as 2026-11-26T12:00:00Z.',
    ],
  ] as const)
    assert.deepEqual(rejected(data), [{ parameter, detail }]);
  assert.equal(query({ createdAfter: '2026-11-26T12:00:00+01:00' }).error, undefined);
});

test('a repeated parameter is rejected as such, in a record too', () => {
  const detail = 'Is given more than once.';
  assert.deepEqual(rejected({ limit: ['1', '2'] }), [{ parameter: 'limit', detail }]);
  assert.deepEqual(rejected({ 'metadata.a': ['b', 'c'] }), [{ parameter: 'metadata.a', detail }]);
});

test('errors name fields of a body and parameters of the other parts', () => {
  const shape = { count: z.int(), names: z.array(z.string()).optional() };
  const { error } = validate('body', shape, { names: ['a', 1], cuont: 1 });
  assert.deepEqual(error?.details, [
    { pointer: '#/count', detail: 'Is required.' },
    { pointer: '#/names/1', detail: 'Must be a string, but is 1.' },
    { pointer: '#/cuont', detail: 'Unknown field `cuont`. Did you mean `count`? Allowed: count, names.' },
  ]);
  assert.equal(
    error?.message,
    'The body is invalid. #/count: Is required. #/names/1: Must be a string, but is 1. #/cuont: Unknown field `cuont`. Did you mean `count`? Allowed: count, names.',
  );
  for (const [part, name] of [
    ['querystring', 'query'],
    ['params', 'path'],
    ['headers', 'headers'],
  ] as const) {
    const verb = part === 'headers' ? 'are' : 'is';
    const { message } = validate(part, { id: z.string() }, { id: 'a', x: 'b' }).error!;
    assert.equal(message, `The ${name} ${verb} invalid. x: Unknown parameter \`x\`. Allowed: id.`);
  }
  assert.deepEqual(validate('body', { count: z.int() }, { count: 1 }), { value: { count: 1 } });
});

test('data of no known part are parameters of the path', () => {
  const compiled = validatorCompiler({ schema: z.object({ id: z.string() }), method: 'GET', url: '/' });
  const { error } = compiled({}) as Result;
  assert.equal(error?.message, 'The path is invalid. id: Is required.');
  assert.deepEqual(error?.details, [{ parameter: 'id', detail: 'Is required.' }]);
});

test('a missing body is reported as such, and a body that is not an object without a pointer', () => {
  const missing =
    'The body must be a JSON object, but is missing or null. Send one with Content-Type: application/json.';
  for (const body of [null, undefined]) {
    const { error } = validate('body', {}, body);
    assert.equal(error?.message, missing);
    assert.deepEqual(error?.details, [{ pointer: '#', detail: missing }]);
  }
  assert.equal(
    validate('body', {}, 'a').error?.message,
    'The body is invalid. Must be an object, but is "a".',
  );
  assert.notEqual(validate('querystring', { a: z.string() }, null).error?.message, missing);
});

test('the message has the first 20 errors and the number of others', () => {
  const parse = (count: number) => () => parseBody(z.array(z.int()), new Array(count).fill('a'));
  assert.throws(parse(20), (error) => {
    assert.ok(error instanceof AtelierError);
    assert.match(error.message, / #\/19: Must be a number, but is "a"\.$/);
    return true;
  });
  assert.throws(parse(1021), (error) => {
    assert.ok(error instanceof AtelierError);
    assert.match(error.message, / #\/19: Must be a number, but is "a"\. … and 1,001 more\.$/);
    return true;
  });
  assert.deepEqual(parseBody(z.array(z.int()), [1]), [1]);
});

test('a list has the ids of its first and last item, null without items', () => {
  const items = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
  assert.deepEqual(
    toList({ data: items, hasMore: true }, ({ id }) => id),
    { data: items, firstId: 'a', lastId: 'c', hasMore: true },
  );
  assert.deepEqual(
    toList<string>({ data: [], hasMore: false }, (id) => id),
    { data: [], firstId: null, lastId: null, hasMore: false },
  );
});
