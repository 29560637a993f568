import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError, type ErrorCode } from '../../../src/errors.ts';
import { toProblem } from '../../../src/http/errors/problem.ts';
import {
  errorFormatForUrl,
  MLFLOW_ERRORS,
  PROBLEM_ERRORS,
  PROTOCOL_ERRORS,
  protocolErrors,
  readVerb,
} from '../../../src/http/errors/protocol-errors.ts';

const problem = (code: ErrorCode) => toProblem(new AtelierError(code, 'Why.'), '/', 'r');

test('the other protocols have no status 422, and bodies of their own', () => {
  for (const format of [PROTOCOL_ERRORS, MLFLOW_ERRORS]) {
    assert.equal(format.toStatus(problem('invalid-pixels')), 400);
    assert.equal(format.toStatus(problem('model-not-found')), 404);
  }
  assert.equal(PROBLEM_ERRORS.toStatus(problem('invalid-pixels')), 422);
  assert.deepEqual(PROTOCOL_ERRORS.toBody(problem('invalid-pixels')), { error: 'Why.' });
});

test("MLflow's codes follow the status", () => {
  for (const [code, expected] of [
    ['unauthenticated', 'UNAUTHENTICATED'],
    ['forbidden', 'PERMISSION_DENIED'],
    ['model-not-found', 'RESOURCE_DOES_NOT_EXIST'],
    ['rate-limited', 'REQUEST_LIMIT_EXCEEDED'],
    ['internal-error', 'INTERNAL_ERROR'],
    ['overloaded', 'TEMPORARILY_UNAVAILABLE'],
    ['invalid-pixels', 'BAD_REQUEST'],
    ['body-too-large', 'BAD_REQUEST'],
  ] as const)
    assert.deepEqual(MLFLOW_ERRORS.toBody(problem(code)), { error_code: expected, message: 'Why.' });
});

test('a verb follows the last colon of a path below the models', () => {
  for (const [path, verb] of [
    ['/v1/models/a:predict', 'predict'],
    ['/v1/models/a/versions/3%3Aexplain', 'explain'],
    ['/v1/models/a', undefined],
    ['/v1/models/a:predict/b', undefined],
    ['/v1/jobs/a:predict', undefined],
  ] as const)
    assert.equal(readVerb(path), verb, path);
});

test('a path without a route has errors in the format of its protocol', () => {
  for (const [url, format] of [
    ['/v2', PROTOCOL_ERRORS],
    ['/v2/models/a?x=1', PROTOCOL_ERRORS],
    ['/v22', PROBLEM_ERRORS],
    ['/v1/models/a:predict?x=/', PROTOCOL_ERRORS],
    ['/v1/models/:predict', PROBLEM_ERRORS],
    ['/v1/models/a/metadata', PROTOCOL_ERRORS],
    ['/v1/models/a/labels/b', PROTOCOL_ERRORS],
    ['/v1/models/a/labels', PROBLEM_ERRORS],
    ['/v1/models/a', PROBLEM_ERRORS],
    ['/invocations', MLFLOW_ERRORS],
    ['/ping?x', MLFLOW_ERRORS],
    ['/ping/a', PROBLEM_ERRORS],
  ] as const)
    assert.equal(errorFormatForUrl(url), format, url);
});

test('documented errors have the titles of their status, except for what is not HTTP', () => {
  const errors = protocolErrors(MLFLOW_ERRORS, 400, 405);
  assert.deepEqual(Object.keys(errors), ['400', '405']);
  assert.equal(errors[405].description, 'Method not allowed');
  assert.match(errors[400].description, /^The body could not be read; /);
  assert.deepEqual(Object.keys(errors[400].content), ['application/json']);
});
