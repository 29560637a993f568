import assert from 'node:assert/strict';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import type { IdempotencyRecord } from '../../../src/store/idempotency.ts';
import { publish, temporaryStore, trained } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const imported = {
  source: 'sklearn',
  fileDigest: `sha256:${'f'.repeat(64)}`,
  rounded: 12,
  assumed: ['activation'],
} as const;
const model = {
  ...trained,
  name: 'mixed',
  engine: null,
  fused: false,
  datasetId: null,
  datasetDigest: null,
  metadata: { who: 'an importer' },
  imported: { ...imported, assumed: [...imported.assumed] },
};

storeTest('an imported version gets the next number and has the file as its origin', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'mixed');
  const version = await store.models.publish(model);
  assert.deepEqual([version.version, version.metadata, version.engine], [2, { who: 'an importer' }, null]);
  assert.deepEqual(version.lineage, {
    source: 'import',
    jobId: null,
    dataset: null,
    seed: null,
    request: null,
    parent: null,
    teachers: [],
    import: imported,
    copiedFrom: null,
  });
  assert.deepEqual(await store.models.version('mixed', 2), version);
  assert.equal((await store.models.version('mixed', 1))!.lineage.import, null);
});

storeTest('version and response are stored together or not at all', async (t) => {
  const store = await temporaryStore(t);
  const keep: IdempotencyRecord<ModelVersion> = {
    caller: 'anonymous',
    key: 'k',
    fingerprint: 'f'.repeat(64),
    at: new Date(),
    render: ({ version }) => ({ status: 201, location: `/${version}`, contentType: 'text/plain', body: '' }),
  };
  const { version } = await store.models.publish(model, keep);
  assert.equal((await store.storedResponses.find(keep, keep.at))?.location, `/${version}`);
  // The key is already used.
  await assert.rejects(store.models.publish(model, keep));
  assert.equal((await store.models.get('mixed'))?.versions, 1);
});
