import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import { listEvents } from '../../../src/services/events/list.ts';

const event = (id: number): JobEvent => ({ id, type: 'warning', at: '', data: {} });

/** The events of a job from `first` to 5. */
function eventsFrom(first: number) {
  const all = [1, 2, 3, 4, 5].filter((id) => id >= first).map(event);
  return {
    async list(_jobId: string, { after = 0, limit }: { after?: number | undefined; limit: number }) {
      const data = all.filter(({ id }) => id > after);
      return { data: data.slice(0, limit), hasMore: data.length > limit };
    },
  };
}
const list = async (first: number, status: 'running' | 'succeeded', after?: number) => {
  const query = { limit: 2, ...(after !== undefined && { after }) };
  const page = await listEvents(eventsFrom(first), { id: 'job_1', status }, query);
  return page.data.map(({ id }) => id);
};

test('lists the events after one, also if there are none yet', async () => {
  assert.deepEqual(await list(1, 'succeeded'), [1, 2]);
  assert.deepEqual(await list(1, 'succeeded', 3), [4, 5]);
  assert.deepEqual(await list(1, 'succeeded', 5), []);
  assert.deepEqual(await list(9, 'running'), []);
});

test('events of an ended job that were deleted are an error, and those that are left are listed', async () => {
  const deleted = {
    code: 'events-deleted',
    message:
      'The events of training job job_1 were deleted some time after its end. The job and its metrics are still available.',
  };
  await assert.rejects(list(9, 'succeeded'), deleted);
  await assert.rejects(list(3, 'succeeded'), deleted);
  await assert.rejects(list(3, 'succeeded', 1), deleted);
  assert.deepEqual(await list(3, 'succeeded', 2), [3, 4]);
});
