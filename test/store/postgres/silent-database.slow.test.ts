import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { startTcpProxy } from '../../support/servers/tcp-proxy.ts';
import { addCleanup } from '../../support/start-service.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { sharedDatabase } from './blob-database.ts';
import { OFFER } from './join.ts';

/**
 * Once the loss of packets is noticed, after 4 s, a statement ends at its next check, every 3 s. On a busy machine both take
 * longer; without the checks a statement takes 40 s.
 */
const LONGEST_MS = 30_000;

test('statements and transactions fail soon if all packets are lost, and succeed again afterwards', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await sharedDatabase(t);
  const proxy = await startTcpProxy(t, url);
  const directory = await temporaryDirectory(t);
  const store = await openPostgresStore({ url: proxy.through(url), directory, offer: OFFER });
  addCleanup(t, store.close);
  // Connections that are open before the packets are lost.
  await Promise.all([1, 2].map(() => store.jobs.isEmpty()));
  proxy.drop();
  for (const attempt of ['first', 'second']) {
    const startedAt = performance.now();
    const works = [store.jobs.isEmpty(), store.jobs.requestCancel('job_0'), store.models.remove('digits')];
    for (const outcome of await Promise.allSettled(works)) {
      assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'storage-unavailable');
    }
    const ms = performance.now() - startedAt;
    t.diagnostic(`${attempt}: ${ms.toFixed()} ms`);
    assert.ok(ms < LONGEST_MS, `${ms} ms`);
  }
  proxy.heal();
  while (store.agreement.isCutOff()) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await store.jobs.isEmpty(), true);
});
