import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenAPIV3_1 } from 'openapi-types';
import { postprocessOpenapi } from '../../../src/http/openapi/postprocess.ts';

const errorFormat = { type: 'application/json', name: 'ProtocolError' };

/** An operation after all steps, by default of a key that may predict. */
function complete(operation: object, declared: object = {}, method: 'get' | 'post' = 'get') {
  const generated = {
    'x-required-scope': 'predict',
    'x-declared': { errorFormat, ...declared },
    responses: {},
    ...operation,
  };
  const document = { paths: { '/a': { [method]: generated } } } as unknown as OpenAPIV3_1.Document;
  const completed = postprocessOpenapi(document, {}).paths!['/a']![method]!;
  assert.ok(!('x-declared' in completed));
  const responses = completed.responses as Record<string, OpenAPIV3_1.ResponseObject>;
  const headersOf = (status: string) => Object.keys(responses[status]!.headers!);
  return { ...completed, responses, headersOf, statuses: Object.keys(responses).join(' ') };
}

test('every operation has the errors that every request can have', () => {
  assert.equal(complete({}).statuses, '400 401 403 417 429 500 503');
  assert.equal(complete({}, {}, 'post').statuses, '400 401 403 408 417 429 500 503');
  assert.equal(complete({}, { etag: true }).statuses, '304 400 401 403 412 417 429 500 503');
  assert.equal(complete({}, { commonErrors: false }).statuses, '400 401 403 417 429');
  assert.equal(complete({ 'x-required-scope': 'open' }).statuses, '400 417 500 503');
  const own = { description: 'Own.' };
  assert.equal(complete({ responses: { 400: own } }).responses['400']!.description, 'Own.');
});

test('errors have the format of the route, and only the codes that it can have', () => {
  const { 400: invalid, 500: failed } = complete({}).responses;
  assert.deepEqual(invalid!.content, {
    'application/json': { schema: { $ref: '#/components/schemas/ProtocolError' } },
  });
  assert.equal(invalid!.description, 'The request does not match its schema');
  assert.equal(failed!.description, 'Internal error; The state directory is unusable');
  const { 500: damaged } = complete({}, { readsDataset: true }).responses;
  assert.equal(
    damaged!.description,
    'Internal error; The state directory is unusable; A data set is damaged',
  );
});

test('an operation needs a key of its scope, if the configuration requires keys', () => {
  assert.deepEqual(complete({ 'x-required-scope': 'open' }).security, []);
  for (const [scope, required] of [
    ['docs', 'predict'],
    ['metrics', 'predict'],
    ['train', 'train'],
  ])
    assert.deepEqual(complete({ 'x-required-scope': scope }).security, [{}, { key: [required] }]);
});

test('parameters have the usual spelling, and records an example', () => {
  const parameter = (name: string, from: string, type: string) => ({ name, in: from, schema: { type } });
  const { parameters } = complete({
    parameters: [
      parameter('if-match', 'header', 'string'),
      parameter('x-own', 'header', 'string'),
      parameter('metadata', 'query', 'object'),
      parameter('limit', 'query', 'integer'),
    ],
  });
  assert.deepEqual(parameters, [
    parameter('If-Match', 'header', 'string'),
    parameter('x-own', 'header', 'string'),
    { ...parameter('metadata', 'query', 'object'), style: 'deepObject', explode: true, example: {} },
    parameter('limit', 'query', 'integer'),
  ]);
});

test('responses have the headers of their status', () => {
  const content = (type: string) => ({ content: { [type]: {} } });
  const plain = complete({ responses: { 200: content('application/json'), 409: {} } });
  assert.deepEqual(plain.headersOf('200'), ['X-Request-Id', 'Content-Encoding', 'Vary']);
  assert.deepEqual(plain.headersOf('401'), ['X-Request-Id', 'WWW-Authenticate']);
  assert.deepEqual(plain.headersOf('503'), ['X-Request-Id', 'Retry-After']);
  assert.deepEqual(plain.headersOf('409'), ['X-Request-Id']);
  const responses = { 200: content('image/png'), 202: {}, 406: {}, 409: {}, 503: {} };
  const declared = { etag: true, idempotent: true, responseHeaders: { 202: ['Location'] } };
  const image = complete({ responses }, declared);
  assert.deepEqual(image.headersOf('200'), ['X-Request-Id', 'ETag', 'Idempotency-Replayed', 'Vary']);
  assert.deepEqual(image.headersOf('202'), ['X-Request-Id', 'Location', 'Idempotency-Replayed']);
  assert.deepEqual(image.headersOf('304'), ['X-Request-Id', 'ETag']);
  assert.deepEqual(image.headersOf('409'), ['X-Request-Id', 'Retry-After']);
  const health = complete({ responses: { 200: {}, 503: {} } }, { commonErrors: false });
  assert.deepEqual(health.headersOf('503'), ['X-Request-Id']);
  assert.deepEqual(health.headersOf('200'), ['X-Request-Id']);
});

test('components are in the order of their names', () => {
  const $ref = (id: string) => ({ $ref: `#/components/schemas/${id}` });
  const schemas = { C: {}, A: {}, B: {} };
  const document = { paths: { '/a': { parameters: ['A', 'B', 'C'].map($ref) } }, components: { schemas } };
  const { components } = postprocessOpenapi(document as unknown as OpenAPIV3_1.Document, {});
  assert.deepEqual(Object.keys(components!.schemas!), ['A', 'B', 'C']);
});

test('a document may have no paths and no components', () => {
  const { components, ...rest } = postprocessOpenapi({} as OpenAPIV3_1.Document, {});
  assert.deepEqual(Object.keys(components!), ['schemas', 'headers', 'securitySchemes']);
  assert.deepEqual([components!.schemas, rest], [{}, {}]);
});
