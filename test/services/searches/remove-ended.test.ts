/** Deletions of searches, in a service whose store holds the given ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { AtelierError, type ErrorCode } from '../../../src/errors.ts';
import { createSearchService } from '../../../src/services/searches/lifecycle.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { failure } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const LIMIT = new Date('2026-03-01T00:00:00.000Z');
const searchOf = (id: string, finishedAt: string | null) => ({ id, finishedAt }) as Search;

/**
 * @param pages the searches, by page
 * @param errors of the deletions, by id
 */
function setUp(pages: readonly (readonly Search[])[], errors: Readonly<Record<string, ErrorCode>> = {}) {
  const removed: string[] = [];
  const queries: object[] = [];
  const searches = {
    get: async () => undefined,
    list: async (query: { after?: string }) => {
      queries.push(query);
      const page = queries.length - 1;
      return { data: pages[page], hasMore: page + 1 < pages.length };
    },
    beingDeleted: async () => pages.flat().map(({ id }) => id),
    async remove(id: string) {
      removed.push(id);
      if (errors[id] !== undefined) throw new AtelierError(errors[id], `${id} stays.`);
    },
  } as unknown as Store['searches'];
  const service = createSearchService({
    store: { searches },
    catalog: catalogOf(),
    resolve: () => assert.fail('nothing is created'),
    models: { version: () => assert.fail(), invalidateEverywhere: async () => {} },
    runner: { notify: () => assert.fail('nothing is changed') } as never,
    predictTime: () => assert.fail('nothing is previewed'),
    slots: () => 1,
  });
  return { service, removed, queries };
}

test('deletes the searches of all pages that ended before a time', async () => {
  const { service, removed, queries } = setUp([
    [searchOf('unfinished', null), searchOf('older', '2026-02-28T23:59:59.999Z')],
    [searchOf('at the time', LIMIT.toISOString()), searchOf('oldest', '2025-01-01T00:00:00.000Z')],
  ]);
  await service.removeEnded(LIMIT, new AbortController().signal);
  assert.deepEqual(removed, ['older', 'oldest']);
  assert.deepEqual(queries, [
    { limit: 100, after: undefined },
    { limit: 100, after: 'older' },
  ]);
});

test('goes on after a search that is in use or gone, but not after another error', async () => {
  const ids = ['gone', 'used', 'failing', 'last'];
  const errors = { gone: 'search-not-found', used: 'training-job-in-use' } as const;
  const { service, removed } = setUp([ids.map((id) => searchOf(id, ''))], errors);
  await service.finishDeletions(new AbortController().signal);
  assert.deepEqual(removed, ids);
  const failing = setUp([ids.map((id) => searchOf(id, ''))], { ...errors, failing: 'storage-unavailable' });
  await assert.rejects(
    failing.service.finishDeletions(new AbortController().signal),
    failure('storage-unavailable'),
  );
  assert.deepEqual(failing.removed, ['gone', 'used', 'failing']);
});

test('deletes nothing once the service stops', async () => {
  const { service, removed, queries } = setUp([[searchOf('a', '')]]);
  await service.finishDeletions(AbortSignal.abort());
  await service.removeEnded(LIMIT, AbortSignal.abort());
  assert.deepEqual([removed, queries], [[], []]);
});

test('names an unknown search', async () => {
  const { service } = setUp([]);
  const calls = [service.get, service.trials, service.leaderboard];
  for (const call of calls)
    await assert.rejects(call('srch_1'), failure('search-not-found', 'Search srch_1'));
  await assert.rejects(service.events('srch_1', { limit: 1 }), failure('search-not-found', 'Search srch_1'));
});
