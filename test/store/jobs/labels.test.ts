import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transaction } from 'kysely';
import type { Database } from '../../../src/store/database/tables.ts';
import { insertLabels, toLabels } from '../../../src/store/jobs/labels.ts';

test('the labels of a job are its model, its data set and its metadata', () => {
  assert.deepEqual(
    toLabels({ modelName: 'shoes', dataset: 'dst_a', metadata: { team: 'x', dataset: 'y' } }),
    [
      { name: 'modelName', value: 'shoes' },
      { name: 'dataset', value: 'dst_a' },
      { name: 'metadata.team', value: 'x' },
      { name: 'metadata.dataset', value: 'y' },
    ],
  );
});

test('a filter has the labels that it names', () => {
  assert.deepEqual(toLabels({}), []);
  assert.deepEqual(toLabels({ modelName: undefined, dataset: 'a' }), [{ name: 'dataset', value: 'a' }]);
  assert.deepEqual(toLabels({ modelName: 'a', dataset: undefined }), [{ name: 'modelName', value: 'a' }]);
});

test('no row is written for a job without labels', async () => {
  await insertLabels({} as Transaction<Database>, 'job_1', {});
});
