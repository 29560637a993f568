import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommittedEvent, collectEvent } from '../../../src/store/database/committed-events.ts';
import { createTransactions } from '../../../src/store/database/transactions.ts';
import { newJobRow } from '../../../src/store/jobs/rows.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { request, temporaryDirectory, untouched } from '../fixtures.ts';

test('a status event has the state of its job, as far as the row can be read, and others have none', async (t) => {
  const { db, close } = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(close);
  const { inTransaction, onCommitted } = createTransactions(db);
  const committed = new Map<string, readonly CommittedEvent[]>();
  onCommitted((id, events) => committed.set(id, events));
  const at = '2026-11-26T00:00:00.000Z';
  const body = request('shoes');
  const unvalidated = { ...body, training: { ...body.training, validation: null } };
  const row = newJobRow('job_1', at, unvalidated, { ...untouched, step: 5 }, null, null, null, 'trace');
  const error = { error_code: 'loss-diverged', error_message: 'The loss became NaN.' };
  await inTransaction(async (trx) => {
    await trx.insertInto('jobs').values(row).execute();
    const damaged = { request: '{x', progress: '{x', search_id: 'sch_1', attempts: 2, ...error };
    await trx
      .insertInto('jobs')
      .values({ ...row, ...damaged, id: 'job_2' })
      .execute();
    for (const id of ['job_1', 'job_2', 'sch_1'])
      await collectEvent(trx, id, { id: 2, type: 'status', at, data: { to: 'failed' } });
    await collectEvent(trx, 'job_1', { id: 3, type: 'warning', at, data: {} });
  });
  const state = {
    modelName: 'shoes',
    dataset: 'fashion-mnist',
    training: { validation: null },
    attempts: 0,
    step: 5,
    digest: null,
    traceparent: 'trace',
    searchId: null,
    error: null,
  };
  const states = (id: string) => committed.get(id)!.map(({ job }) => job);
  assert.deepEqual(states('job_1'), [state, null]);
  assert.deepEqual(states('job_2'), [
    {
      ...state,
      modelName: '',
      dataset: '',
      attempts: 2,
      step: 0,
      searchId: 'sch_1',
      error: { code: 'loss-diverged', message: 'The loss became NaN.' },
    },
  ]);
  assert.deepEqual(states('sch_1'), [null]);
});
