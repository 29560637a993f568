import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseError, readError } from '../../cli/errors.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const PROBLEM = {
  type: 'about:blank',
  title: 'Unprocessable',
  status: 422,
  code: 'invalid-request',
  detail: 'The request is invalid. #/seed: must be an integer',
  errors: [
    { pointer: '#/seed', detail: 'must be an integer' },
    { parameter: 'limit', detail: 'must be at most 100' },
  ],
};

function read(headers: Record<string, string>, body: string = JSON.stringify(PROBLEM)) {
  return readError(new Response(body, { status: 422, headers }), NOW);
}
const problemType = { 'content-type': 'application/problem+json; charset=utf-8' };

test('shows the detail of a problem, then each of its places once', async () => {
  const error = await read(problemType);
  assert.ok(error instanceof ResponseError);
  assert.deepEqual([error.status, error.problem, error.retryAfterMs], [422, PROBLEM, null]);
  assert.equal(
    error.message,
    'The request is invalid.\n  #/seed: must be an integer\n  limit: must be at most 100',
  );
  const { errors, ...plain } = PROBLEM;
  assert.equal((await read(problemType, JSON.stringify(plain))).message, PROBLEM.detail);
});

test('a response without a problem document has its status only', async () => {
  const message = 'The response has status 422, without a problem document.';
  for (const response of [
    read({ 'content-type': 'application/json' }),
    read({}),
    read(problemType, '{"ty'),
  ]) {
    const { problem, message: shown } = await response;
    assert.deepEqual([problem, shown], [null, message]);
  }
});

test('Retry-After is a number of seconds or a date, and never negative', async () => {
  for (const [value, milliseconds] of [
    ['0', 0],
    ['7', 7000],
    ['Sun, 01 Mar 2026 12:01:30 GMT', 90_000],
    ['Sun, 01 Mar 2026 11:59:00 GMT', 0],
    ['soon', null],
  ] as const) {
    assert.equal((await read({ ...problemType, 'retry-after': value })).retryAfterMs, milliseconds, value);
  }
});
