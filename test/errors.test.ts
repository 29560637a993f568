import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError, hasCode, isOutOfFiles, messageWithoutPaths } from '../src/errors.ts';

test('an error has its code, details and estimate', () => {
  const cause = new Error('cause');
  const details = [{ pointer: '#/a', detail: 'is b' }];
  const error = new AtelierError('overloaded', 'Busy.', { cause, details, retryAfterSeconds: 3 });
  assert.deepEqual(
    [error.name, error.code, error.message, error.details, error.retryAfterSeconds, error.cause],
    ['AtelierError', 'overloaded', 'Busy.', details, 3, cause],
  );
  const plain = new AtelierError('overloaded', 'Busy.');
  assert.deepEqual([plain.details, plain.retryAfterSeconds], [[], undefined]);
  assert.ok(hasCode(error, 'starting', 'overloaded'));
  assert.ok(!hasCode(error, 'starting') && !hasCode({ code: 'overloaded' }, 'overloaded'));
});

test('a lack of files is found by code, by the message of a system error, and by its cause', () => {
  const error = (code: string, message: string, cause?: unknown) => ({ code, message, cause });
  for (const found of [
    error('EMFILE', ''),
    error('ENFILE', ''),
    error('internal-error', 'EMFILE: too many'),
    error('worker-crashed', 'Too many open files'),
    error('state-unusable', 'open failed: ENFILE'),
    error('dataset-damaged', 'EMFILE'),
    error('invalid-request', '', error('EMFILE', '')),
  ])
    assert.ok(isOutOfFiles(found), JSON.stringify(found));
  for (const other of [
    null,
    undefined,
    'EMFILE',
    error('ENOENT', 'EMFILE'),
    // A name that a client chose.
    error('invalid-request', 'EMFILE'),
    error('internal-error', 'XEMFILES'),
    error('internal-error', 'ok', null),
  ])
    assert.ok(!isOutOfFiles(other), JSON.stringify(other));
});

test('the message of an unexpected error has no paths', () => {
  for (const [message, shown] of [
    ["ENOENT: no such file, open '/srv/a b/c'", 'ENOENT: no such file, open [path]'],
    ['cannot load "/srv/a", nor /srv/b; stop', 'cannot load [path], nor [path]; stop'],
    ['import of file:///srv/a.ts failed', 'import of [path] failed'],
    ["from 'file:///srv/a.ts'", 'from [path]'],
    ['n/a at #/image/0 in 10/20', 'n/a at #/image/0 in 10/20'],
  ] as const) {
    assert.equal(messageWithoutPaths(new Error(message)), shown);
    assert.equal(messageWithoutPaths(message), shown);
  }
});
