import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGroupCommit } from '../../../src/store/sqlite/group-commit.ts';
import { failure } from '../fixtures.ts';

/** Syncs that the test ends. */
function controlledCommit() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const commit = createGroupCommit(() => {
    const sync = Promise.withResolvers<void>();
    syncs.push(sync);
    return sync.promise;
  });
  return { ...commit, syncs };
}

test('commits that arrive while a sync runs share the next one', async () => {
  const { add, durable, syncs } = controlledCommit();
  await durable();
  assert.equal(syncs.length, 0);
  add();
  add();
  await Promise.resolve();
  assert.equal(syncs.length, 1);
  const first = durable();
  add();
  add();
  const second = durable();
  assert.notEqual(second, first);
  syncs[0]!.resolve();
  await first;
  assert.equal(syncs.length, 2);
  syncs[1]!.resolve();
  await second;
  assert.equal(syncs.length, 2);
});

test('after a failed sync no commit is durable any more, although a later sync would succeed', async () => {
  const { add, durable, assertUsable, syncs } = controlledCommit();
  add();
  assertUsable();
  await Promise.resolve();
  syncs[0]!.reject(Object.assign(new Error('i/o error'), { code: 'EIO' }));
  const isLost = failure('state-unusable', 'failed to store the latest changes (EIO)', 'restart the service');
  await assert.rejects(durable(), isLost);
  assert.throws(assertUsable, isLost);
  add();
  await assert.rejects(durable(), isLost);
  assert.equal(syncs.length, 1);
});

test('a failed sync without a code is named by its message', async () => {
  const { add, durable, syncs } = controlledCommit();
  add();
  await Promise.resolve();
  syncs[0]!.reject(new Error('no disk'));
  await assert.rejects(durable(), failure('state-unusable', 'the latest changes (no disk)'));
});
