import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWaits } from '../../../src/services/runs/waits.ts';
import { createTrainingService } from '../../../src/services/training/jobs.ts';
import { request, temporaryStore, untouched } from '../../store/fixtures.ts';

test('a job that is waiting for storage has another revision, although its row is the same', async (t) => {
  const store = await temporaryStore(t);
  const waits = createWaits('storage');
  const unused = {} as never;
  const { revisions } = createTrainingService({
    store,
    catalog: unused,
    models: unused,
    queue: unused,
    resolve: unused,
    waits,
    queueLimit: 1,
    slots: () => 1,
  });
  const { id } = await store.jobs.create(request(), untouched);
  const read = async () => (await revisions({ limit: 1 })).data[0]!.revision;
  const before = await read();
  {
    using _waiting = waits.add(id);
    assert.equal(await read(), `${before}-storage`);
  }
  assert.equal(await read(), before);
});
