import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putAndRefer, repeatAfterViolation } from '../../../../src/store/postgres/blobs/referenced.ts';

const violation = (code: string, constraint: string) =>
  Object.assign(new Error('violated'), { code, constraint });

/** Work that fails some times before it succeeds. */
function failing(times: number, error: Error) {
  let calls = 0;
  const work = async () => {
    calls++;
    if (calls <= times) throw error;
    return 'done';
  };
  return { work, calls: () => calls };
}

test('a blob that was collected meanwhile is stored again, at most five times', async () => {
  const lost = violation('23503', 'model_versions_blob');
  const { work, calls } = failing(4, lost);
  assert.equal(await repeatAfterViolation(work), 'done');
  assert.equal(calls(), 5);
  const hopeless = failing(5, lost);
  await assert.rejects(repeatAfterViolation(hopeless.work), lost);
  assert.equal(hopeless.calls(), 5);
});

test('any other error is not repeated', async () => {
  for (const error of [
    violation('23503', 'events_job_id_fkey'),
    violation('23505', 'model_versions_blob'),
    new Error('no connection'),
  ]) {
    const { work, calls } = failing(1, error);
    await assert.rejects(repeatAfterViolation(work), error);
    assert.equal(calls(), 1);
  }
});

test('a reference is inserted for the digest of the blob that was just stored', async () => {
  let puts = 0;
  const put = async () => `digest ${++puts}`;
  const { work } = failing(1, violation('23503', 'checkpoints_blob'));
  const inserted = await putAndRefer(put, async (digest) => `${await work()}, ${digest}`);
  assert.equal(inserted, 'done, digest 2');
});
