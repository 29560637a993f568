import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toError } from '../../../src/store/database/row-error.ts';

test('a row has an error if it has both a code and a message', () => {
  const errors = [
    ['worker-crashed', 'gone'],
    ['worker-crashed', null],
    [null, 'gone'],
    [null, null],
  ].map(([code, message]) => toError({ error_code: code ?? null, error_message: message ?? null }));
  assert.deepEqual(errors, [{ code: 'worker-crashed', message: 'gone' }, null, null, null]);
});
