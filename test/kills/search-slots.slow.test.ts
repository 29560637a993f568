/** Searches with other numbers of slots and concurrent trainings: the same outcome. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Search } from '../../src/domain/searches/representation.ts';
import { readOutcome, type SearchOutcome, smallSearch, untilSearch } from '../support/search-outcome.ts';
import { requestJson } from '../support/start-process.ts';
import { startService } from '../support/start-service.ts';

test('the numbers of slots and of concurrent trainings change neither winner, leaderboard nor digests', async (t) => {
  const training = { ...smallSearch().training, validation: { fraction: 0.5 } };
  let expected: SearchOutcome | undefined;
  for (const slots of [1, 2]) {
    const { app } = await startService(t, { TRAINING_WORKERS: String(slots) });
    const base = await app.listen({ port: 0, host: '127.0.0.1' });
    for (const parallel of [1, 4]) {
      const { id } = await requestJson<Search>(`${base}/v1/searches`, smallSearch({ parallel, training }));
      await untilSearch(base, id);
      const outcome = await readOutcome(base, id);
      assert.equal(outcome.status, 'succeeded');
      assert.ok(outcome.final?.digest, 'the final training has parameters');
      expected ??= outcome;
      assert.deepEqual(outcome, expected, `${slots} slots, parallel ${parallel}`);
    }
  }
});
