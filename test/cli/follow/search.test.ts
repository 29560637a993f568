import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeResult } from '../../../cli/follow/search.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';

const search = {
  status: 'succeeded',
  error: null,
  model: { name: 'pets', version: 3 },
  publication: { reason: 'It is the first version.' },
  best: { trial: 2, values: { '/training/l2': 0.1, '/network/hidden': [8] } },
};
const describe = (changes: object) => describeResult({ ...search, ...changes } as unknown as Search);

test('describes the result of a search', () => {
  const best = 'Best: trial 2 with /training/l2 = 0.1, /network/hidden = [8].';
  const end = ' Trials with * may be as good.';
  assert.equal(describe({}), `${best} Published pets@3.${end}`);
  assert.equal(
    describe({ model: null, publication: { reason: 'It did not learn.' } }),
    `${best} Published nothing. It did not learn.${end}`,
  );
  assert.equal(describe({ model: null, publication: null }), `${best}${end}`);
});

test('describes the end of a search without a result', () => {
  const error = { code: 'search-failed', message: 'All trials failed.' };
  assert.equal(
    describe({ status: 'failed', error }),
    'The search failed: All trials failed. (search-failed)',
  );
  assert.equal(describe({ status: 'cancelled' }), 'The search was cancelled.');
});
