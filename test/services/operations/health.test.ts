import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { createHealthService } from '../../../src/services/operations/health.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';

const catalog = { list: () => [{} as DatasetSummary] };

test('waits for a slow disk, but not for a shared database that does not reply', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reply = Promise.withResolvers<void>();
  const reasons: unknown[] = [];
  const service = (needsDatabase: boolean) =>
    createHealthService({ assertUsable: () => reply.promise }, catalog, {
      needsDatabase,
      needsDataset: true,
      waits: createWaits('storage'),
      log: { error: (details) => reasons.push(details), warn: (details) => reasons.push(details) },
    });
  const [own, shared] = [service(true).check(), service(false).check()];
  t.mock.timers.tick(5_000);
  const checks = { datasets: true, accepting: true, storage: true };
  assert.deepEqual(await shared, { ready: true, checks: { ...checks, database: false } });
  reply.resolve();
  assert.deepEqual(await own, { ready: true, checks: { ...checks, database: true } });
  assert.equal(reasons.length, 1);
});
