import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import files, { type FileHandle } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { assertSpareFiles } from '../../../src/services/runs/spare-files.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
import { INHERITED } from '../../support/start-process.ts';

const CHILD = join(import.meta.dirname, '../children/few-files.ts');

test('checks take no files from each other, and keep none after a failure', async () => {
  const limited = ['-c', 'ulimit -n 120; exec "$@"', 'sh', process.execPath, CHILD];
  const { stdout } = await promisify(execFile)('sh', limited, { env: INHERITED });
  assert.deepEqual(JSON.parse(stdout), [true, true, false, true]);
});

test('a check opens 64 files at once, after the check before it, and closes all of them', async (t) => {
  let [opened, open, most] = [0, 0, 0];
  let limit = 64;
  const lack = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  t.mock.method(files, 'open', async (path: string) => {
    assert.equal(path, devNull);
    if (open === limit) throw lack;
    opened += 1;
    open += 1;
    most = Math.max(most, open);
    return {
      close: async () => {
        open -= 1;
      },
    } as FileHandle;
  });
  applyMocks(t);
  await Promise.all([assertSpareFiles(), assertSpareFiles()]);
  assert.deepEqual([opened, most, open], [128, 64, 0]);
  limit = 63;
  await assert.rejects(assertSpareFiles(), lack);
  assert.deepEqual([opened, open], [128 + 63, 0]);
});
