/** Looks that two processes count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Look } from '../../../src/store/models/looks.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { trained } from '../fixtures.ts';
import { behindLock, openTwoStores } from './two-stores.ts';

const options = { skip: withoutPostgres };
const DIGEST = trained.datasetDigest!;
const look = (n: string): Look => ({
  datasetDigest: DIGEST,
  kind: 'comparison',
  network: { ...trained, digest: `sha256:${n.repeat(64)}` },
  caller: 'ci',
});

test('two processes that evaluate the same versions at once count each of them once', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [a, b] = stores;
  const settled = await behindLock(url, 'lock table atelier.looks in share row exclusive mode', [
    () => a.looks.record([look('a'), look('b')]),
    () => b.looks.record([look('a'), look('b')]),
    () => b.looks.record([look('c')]),
    () => a.looks.record([look('c')]),
  ]);
  assert.deepEqual(settled, ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
  assert.deepEqual([await a.looks.total(DIGEST), await b.looks.total(DIGEST)], [3, 3]);
});
