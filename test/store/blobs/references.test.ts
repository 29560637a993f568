import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referencesOf } from '../../../src/store/blobs/references.ts';

test('the references of a kind are the columns that name its files', () => {
  const columns = (kind: Parameters<typeof referencesOf>[0]) =>
    referencesOf(kind).map(({ table, column }) => `${table}.${column}`);
  assert.deepEqual(columns('blobs'), ['model_versions.digest', 'model_versions.calibration_digest']);
  assert.deepEqual(columns('datasets'), ['datasets.digest']);
});
