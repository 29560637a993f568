import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { deserializeError, serializeError } from '../../../src/workers/threads/errors.ts';

test('an error keeps its code, message and details in another thread', () => {
  const details = [{ pointer: '#/split', detail: 'is too small' }];
  const sent = structuredClone(
    serializeError(new AtelierError('impossible-request', 'Too few.', { details })),
  );
  const received = deserializeError(sent);
  assert.ok(received instanceof AtelierError);
  assert.deepEqual(
    [received.code, received.message, received.details],
    ['impossible-request', 'Too few.', details],
  );
});

test('any other error is internal, and names no path', () => {
  assert.deepEqual(serializeError(new TypeError("cannot open '/srv/state/a.sqlite'")), {
    code: 'internal-error',
    message: 'cannot open [path]',
    details: [],
  });
});
