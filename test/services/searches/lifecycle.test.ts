/** Deletions of searches that were interrupted. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { smallSearch } from '../../support/search-outcome.ts';
import { startService, temporaryDirectory } from '../../support/start-service.ts';

test('a deletion that the end of the process interrupted is finished after the next start', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const first = await startService(t, { STATE_DIR });
  const body = smallSearch({
    method: { type: 'random', trials: 2 },
    halving: null,
    final: { trainOn: null },
  });
  const created = await first.app.inject({ method: 'POST', url: '/v1/searches', payload: body });
  assert.equal(created.statusCode, 202, created.body);
  const url = `/v1/searches/${created.json<Search>().id}`;
  while ((await first.app.inject(url)).json<Search>().finishedAt === null) await wait(20);
  await first.close();

  // The state after the first transaction of a deletion.
  const db = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'));
  db.exec('update searches set deleting = 1');
  db.close();

  const { app } = await startService(t, { STATE_DIR });
  while ((await app.inject(url)).statusCode === 200) await wait(20);
  assert.equal((await app.inject(url)).statusCode, 404);
  assert.deepEqual((await app.inject('/v1/training-jobs')).json().data, []);
});
