import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { test } from 'node:test';
import { AtelierError, ERROR_CODES } from '../../../src/errors.ts';
import { problemStatus, problems, problemTitle, toProblem } from '../../../src/http/errors/problem.ts';

test('every code has a valid status and a title', () => {
  for (const code of ERROR_CODES) {
    const status = problemStatus(code);
    assert.ok(status >= 400 && STATUS_CODES[status], code);
    assert.match(problemTitle(code), /^[A-Z]/, code);
  }
});

test('exactly the codes that no request can cause have status 500', () => {
  const ours = ERROR_CODES.filter((code) => problemStatus(code) === 500);
  assert.deepEqual(ours, [
    'internal-error',
    'lease-lost',
    'loss-diverged',
    'search-failed',
    'gradient-check-failed',
    'kernel-differs',
    'worker-crashed',
    'checkpoint-damaged',
    'dataset-damaged',
    'invalid-configuration',
    'invalid-dataset',
    'state-locked',
    'state-unusable',
  ]);
});

test('a status is described by the titles of its codes', () => {
  const { 413: large, 503: unavailable } = problems(413, 503);
  assert.equal(large.description, problemTitle('body-too-large'));
  const titles = (
    ['overloaded', 'starting', 'draining', 'worker-replica', 'storage-unavailable'] as const
  ).map(problemTitle);
  assert.equal(unavailable.description, titles.join('; '));
});

test('a problem lists errors only if the error has details', () => {
  const plain = toProblem(
    new AtelierError('model-not-found', 'There is no such model.'),
    '/v1/models/a',
    'req-1',
  );
  assert.deepEqual(plain, {
    type: 'urn:atelier:problem:model-not-found',
    title: problemTitle('model-not-found'),
    status: 404,
    detail: 'There is no such model.',
    instance: '/v1/models/a',
    code: 'model-not-found',
    requestId: 'req-1',
  });
  const details = [{ pointer: '#/training/epochs', detail: 'must be at least 1' }];
  const located = toProblem(new AtelierError('invalid-request', 'Invalid.', { details }), '/', 'req-2');
  assert.deepEqual(located.errors, [{ pointer: '#/training/epochs', detail: 'Must be at least 1.' }]);
});
