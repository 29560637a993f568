import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { isRepeatable, storageUnavailable, toStorageError } from '../../../src/store/postgres/errors.ts';
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

test('every error that waiting cures is told from those that only the operator can cure', () => {
  const unavailable = ['08000', '08P01', '57P03', '25P03', '57014', '55P03', 'ETIMEDOUT'];
  for (const code of unavailable) {
    const error = toStorageError(databaseError(code)) as AtelierError;
    assert.ok(failure('storage-unavailable', `does not answer (${code}).`)(error), code);
    assert.equal(error.retryAfterSeconds, 2);
  }
  for (const [code, advice] of [
    ['28000', 'pg_hba.conf'],
    ['28P01', 'Check user and password'],
    ['3D000', 'Create the database'],
    ['42P01', 'npx atelier migrate'],
    ['42501', 'grant create on database'],
    ['XX001', 'from a backup'],
    ['XX002', 'Rebuild the index'],
    ['CERT_HAS_EXPIRED', 'sslrootcert'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'sslrootcert'],
  ] as const) {
    const error = toStorageError(databaseError(code));
    assert.ok(
      failure('state-unusable', 'The database cannot be used: from PostgreSQL.', advice)(error),
      code,
    );
  }
  assert.ok(failure('invalid-request', 'NUL')(toStorageError(databaseError('22021'))));
});

test('errors without a code are recognised by their message', () => {
  for (const message of [
    'Connection terminated unexpectedly',
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'Client was closed and is not queryable',
  ]) {
    assert.ok(failure('storage-unavailable', `(${message})`)(toStorageError(new Error(message))));
  }
  const refused = new Error('The server does not support SSL connections');
  assert.ok(failure('state-unusable', 'Check sslmode')(toStorageError(refused)));
  const own = new AtelierError('queue-full', 'The queue is full.');
  for (const other of [own, new Error('a defect'), 'text', null]) assert.equal(toStorageError(other), other);
  assert.ok(failure('storage-unavailable', 'does not answer (text).')(storageUnavailable('text')));
});

test('a transaction that others made fail can be repeated', () => {
  for (const code of ['40001', '40P01']) assert.ok(isRepeatable(databaseError(code)));
  for (const other of [databaseError('40002'), new Error('40001'), { code: '40001' }, null]) {
    assert.ok(!isRepeatable(other));
  }
});
