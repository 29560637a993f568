import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { setImmediate as flush } from 'node:timers/promises';
import { AtelierError } from '../../../src/errors.ts';
import { isStorageOutage, isUnavailable, repeatWhile } from '../../../src/services/runs/repeat.ts';
import { deserializeError, serializeError } from '../../../src/workers/threads/errors.ts';
import { mockWaits } from '../../support/mocked-builtins.ts';

/** Work that fails with the error `failures` times, and is repeated while the storage is unavailable. */
function failing(error: Error, failures: number, until = new AbortController().signal) {
  const attempts: number[] = [];
  const onFirst: unknown[] = [];
  const work = async () => {
    attempts.push(attempts.length);
    if (attempts.length <= failures) throw error;
    return 'done';
  };
  const result = repeatWhile(isUnavailable, work, { until, onFirst: (first) => onFirst.push(first) });
  return { attempts, onFirst, result };
}

test('a lack of files is recognised behind other errors, also behind those of a thread', async () => {
  const cause = Object.assign(new Error("EMFILE: too many open files, open '/a'"), { code: 'EMFILE' });
  const stored = new AtelierError('state-unusable', 'STATE_DIR cannot store the blob: EMFILE.', { cause });
  const crashed = new AtelierError(
    'worker-crashed',
    'The training thread crashed: Cannot read package config [path] too many open files..',
  );
  for (const error of [cause, stored, crashed]) {
    assert.ok(isStorageOutage(error), String(error));
    assert.ok(isStorageOutage(serializeError(error)), String(error));
    assert.ok(isStorageOutage(deserializeError(serializeError(error))), String(error));
  }
  const missing = await open(`${import.meta.filename}.missing`).catch((error: unknown) => error);
  for (const error of [missing, new AtelierError('worker-crashed', 'The thread crashed.'), null]) {
    assert.ok(!isStorageOutage(error), String(error));
  }
});

test('a name that a client chose is not taken for a lack of files', () => {
  for (const name of ['EMFILE', 'too many open files']) {
    const error = new AtelierError('unknown-dataset', `Data set ${name} no longer exists.`);
    assert.ok(!isStorageOutage(error));
    assert.ok(!isStorageOutage(serializeError(error)));
  }
});

test('repeats work each second while its error passes, and reports the first error only', async (t) => {
  mockWaits(t);
  const transient = new AtelierError('storage-unavailable', 'The database cannot be reached.');
  const { attempts, onFirst, result } = failing(transient, 2);
  await flush();
  assert.deepEqual([attempts.length, onFirst], [1, [transient]]);
  t.mock.timers.tick(999);
  await flush();
  assert.equal(attempts.length, 1);
  for (const count of [2, 3]) {
    t.mock.timers.tick(count === 2 ? 1 : 1000);
    await flush();
    assert.equal(attempts.length, count);
  }
  assert.equal(await result, 'done');
  assert.deepEqual(onFirst, [transient]);
});

test('throws another error at once, and the last one when the repetition ends', async (t) => {
  mockWaits(t);
  const wrong = new AtelierError('impossible-request', 'No.');
  const other = failing(wrong, 1);
  await assert.rejects(other.result, wrong);
  assert.deepEqual([other.attempts.length, other.onFirst], [1, []]);
  const ended = new AbortController();
  const transient = new AtelierError('storage-unavailable', 'The database cannot be reached.');
  const { attempts, result } = failing(transient, 3, ended.signal);
  await flush();
  ended.abort();
  await assert.rejects(result, transient);
  assert.equal(attempts.length, 2, 'once more, without the rest of the second');
});
