import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { createJobListRenderer } from '../../../src/http/responses/job-list.ts';

/** Stands for a job: lists render it as it is. */
const job = (id: string, step = 0) => ({ id, step }) as unknown as TrainingJob;

function createRenderer(jobs: readonly TrainingJob[]) {
  const stored = new Map(jobs.map((each) => [each.id, each]));
  const read: (readonly string[])[] = [];
  const render = createJobListRenderer({
    async getMany(ids) {
      read.push(ids);
      // In another order than the page.
      return ids.flatMap((id) => stored.get(id) ?? []).toReversed();
    },
  });
  const list = async (revisions: Readonly<Record<string, string>>, hasMore = false): Promise<unknown> => {
    const data = Object.entries(revisions).map(([id, revision]) => ({ id, revision }));
    return JSON.parse((await render({ data, hasMore })).toString());
  };
  return { stored, read, list };
}

test('a page of jobs has them in its order, with its cursors', async () => {
  const { list } = createRenderer([job('a'), job('b'), job('c')]);
  const page = { data: [job('c'), job('a'), job('b')], firstId: 'c', lastId: 'b', hasMore: true };
  assert.deepEqual(await list({ c: 'r1', a: 'r1', b: 'r1' }, true), page);
  assert.deepEqual(await list({ a: 'r1' }), { data: [job('a')], firstId: 'a', lastId: 'a', hasMore: false });
  assert.deepEqual(await list({}), { data: [], firstId: null, lastId: null, hasMore: false });
});

test('a job is read once for each of its revisions', async () => {
  const { stored, read, list } = createRenderer([job('a'), job('b')]);
  await list({ a: 'r1' });
  await list({ b: 'r1', a: 'r1' });
  stored.set('a', job('a', 5));
  const data = [job('a', 5), job('b')];
  assert.deepEqual(await list({ a: 'r2', b: 'r1' }), { data, firstId: 'a', lastId: 'b', hasMore: false });
  assert.deepEqual(read, [['a'], ['b'], ['a']]);
});

test('a page leaves out a job whose row is damaged, and tries it again', async () => {
  const { stored, read, list } = createRenderer([job('b'), job('c')]);
  const page = { firstId: 'a', lastId: 'c', hasMore: false };
  assert.deepEqual(await list({ a: 'r1', b: 'r1', c: 'r1' }), { data: [job('b'), job('c')], ...page });
  stored.set('a', job('a'));
  assert.deepEqual(await list({ a: 'r1', b: 'r1', c: 'r1' }), {
    data: [job('a'), job('b'), job('c')],
    ...page,
  });
  assert.deepEqual(read, [['a', 'b', 'c'], ['a']]);
});
