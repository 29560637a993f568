import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { epochRecord, request, temporaryDirectory, trained, untouched } from '../fixtures.ts';
import { type Insert, writeOldDatabase } from '../sqlite/old-database.ts';

const ID = 'job_01M880FEH52JANXJG42H3VZFKH';
const DAMAGED = ID.replace('01M8', '01M7');
const REPEATED = ID.replace('01M8', '01M9');
const AT = '2026-11-25T00:07:51.589Z';
const DIGEST = trained.datasetDigest!;

test('the looks of stored jobs and versions are counted, damaged rows and verifications are not', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeOldDatabase(join(directory, 'atelier.sqlite'), '0021-promotions', (insert: Insert) => {
    const circumstances = JSON.stringify({ dataset: { id: 'fashion-mnist', digest: DIGEST } });
    for (const [id, values] of Object.entries({
      [ID]: { circumstances },
      [DAMAGED]: { circumstances: '{damaged' },
      [REPEATED]: { circumstances, expectation: JSON.stringify({ of: ID }) },
    })) {
      insert('jobs', {
        id,
        status: 'succeeded',
        created_at: AT,
        attempts: 1,
        progress: JSON.stringify(untouched),
        event_count: 0,
        unclean_ends: 0,
        request: JSON.stringify(request('shoes')),
        ...values,
      });
      for (const epoch of [1, 2, 3]) {
        insert('metrics', { job_id: id, epoch, record: JSON.stringify(epochRecord(epoch, 0.5)) });
      }
    }
    insert('models', { name: 'shoes', created_at: AT, last_version: 2, alias_moves: 0 });
    for (const [version, job_id] of [ID, null].entries()) {
      insert('model_versions', {
        name: 'shoes',
        version: version + 1,
        created_at: AT,
        job_id,
        dataset_id: 'fashion-mnist',
        dataset_digest: DIGEST,
        layer_sizes: JSON.stringify([784, 40 + version, 10]),
        activation: 'relu',
        standardization: JSON.stringify(trained.standardization),
        fused: 0,
        class_names: '[]',
        test_accuracy: 0.5,
        digest: trained.digest,
        metadata: '{}',
        tags: '[]',
      });
    }
  });
  const store = await openStore(directory);
  const network = (await store.models.version('shoes', 1))!;
  await store.looks.record([{ datasetDigest: DIGEST, kind: 'evaluation', network, caller: 'ci' }]);
  // Three epochs and an import.
  assert.deepEqual([await store.looks.total(DIGEST), await store.looks.ofJob(ID)], [4, 3]);
  await store.close();
});
