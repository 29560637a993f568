import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countRows } from '../../../src/store/database/rows.ts';
import { fakeDatabase } from '../postgres/fake-database.ts';

test('a count is a number, also where the database gives it as text', async () => {
  for (const count of ['3', 3]) {
    const db = fakeDatabase(() => [{ count }]);
    assert.equal(await countRows(db.selectFrom('jobs').where('status', '=', 'queued')), 3);
  }
});
