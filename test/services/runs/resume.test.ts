import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { CheckpointRecord } from '../../../src/domain/jobs/checkpoint.ts';
import { AtelierError } from '../../../src/errors.ts';
import { resumeTraining } from '../../../src/services/runs/resume.ts';
import type { Run, Store } from '../../../src/store/persistent-state.ts';
import { failure, newJob, runOf, temporaryStore } from '../../store/fixtures.ts';

const damaged = (message: string, cause?: unknown) =>
  new AtelierError('checkpoint-damaged', message, { cause });

/**
 * A run with the checkpoints of steps 1 and 2.
 * @param errors of the reads of their files
 */
async function setUp(t: TestContext, errors: Readonly<Record<number, Error>>) {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const run = runOf(id);
  for (const step of [1, 2]) {
    await run.saveCheckpoint({ step, epoch: 1, loss: null }, new Uint8Array(8).fill(step));
  }
  const discarded: unknown[] = [];
  const discardCheckpoint: Run['discardCheckpoint'] = async (step, event) =>
    void discarded.push([step, event]);
  const read = async (checkpoint: CheckpointRecord) => {
    if (errors[checkpoint.step]) throw errors[checkpoint.step];
    return store.checkpoints.read(checkpoint);
  };
  const checkpoints = { ...store.checkpoints, read } as Store['checkpoints'];
  return { discarded, resume: () => resumeTraining({ job: run.job, discardCheckpoint }, { checkpoints }) };
}

const event = (step: number, instead: string, reason: string) => [
  step,
  {
    code: 'checkpoint-damaged',
    message: `The checkpoint of step ${step} cannot be used, so the job continues ${instead}: ${reason}. No action is needed.`,
  },
];

test('continues from the newest checkpoint, or from the one before if the thread cannot use it', async (t) => {
  const { resume, discarded } = await setUp(t, {});
  const { step, bytes, discard } = (await resume())!;
  assert.deepEqual([step, bytes], [2, new Uint8Array(8).fill(2)]);
  assert.deepEqual(discarded, []);
  await discard({ code: 'checkpoint-damaged', message: 'It holds no weights. Delete it.' });
  assert.deepEqual(discarded, [event(2, 'from the checkpoint of step 1', 'It holds no weights')]);
});

test('discards unreadable checkpoints, and starts from the beginning without another one', async (t) => {
  const one = await setUp(t, { 2: damaged('Its digest differs. Delete it.', new Error('EIO')) });
  assert.equal((await one.resume())!.step, 1);
  assert.deepEqual(one.discarded, [event(2, 'from the checkpoint of step 1', 'Its digest differs')]);
  const none = await setUp(t, { 1: damaged('Empty'), 2: damaged('Short', { code: 'EMFILE' }) });
  assert.equal(await none.resume(), null);
  assert.deepEqual(none.discarded, [
    event(2, 'from the checkpoint of step 1', 'Short'),
    event(1, 'from the beginning', 'Empty'),
  ]);
});

test('discards no checkpoint whose file may still be intact', async (t) => {
  const system = (code: string) => Object.assign(new Error(code), { code });
  const errors = ['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EPERM'].map((code) =>
    damaged(`${code}.`, system(code)),
  );
  for (const error of [...errors, new TypeError('a defect')]) {
    const { resume, discarded } = await setUp(t, { 2: error });
    await assert.rejects(resume(), error);
    assert.deepEqual(discarded, []);
  }
  const away = await setUp(t, { 2: new AtelierError('storage-unavailable', 'The database is away.') });
  await assert.rejects(away.resume(), failure('storage-unavailable'));
  assert.deepEqual(away.discarded, []);
});
