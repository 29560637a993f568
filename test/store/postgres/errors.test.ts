import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toStorageError } from '../../../src/store/postgres/errors.ts';
import { failure } from '../fixtures.ts';

const databaseError = (code: string) => Object.assign(new Error('from PostgreSQL'), { code });

test('errors of PostgreSQL become errors of the service by their SQLSTATE, and others stay as they are', () => {
  assert.ok(failure('storage-full', 'disk of the database is full')(toStorageError(databaseError('53100'))));
  for (const code of ['08006', '53300', '57P01', '25006', 'ECONNREFUSED']) {
    assert.ok(failure('storage-unavailable')(toStorageError(databaseError(code))), code);
  }
  const bug = databaseError('42601');
  assert.equal(toStorageError(bug), bug);
});
