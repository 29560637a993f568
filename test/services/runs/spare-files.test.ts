import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { INHERITED } from '../../support/start-process.ts';

const CHILD = join(import.meta.dirname, '../children/few-files.ts');

test('checks take no files from each other, and keep none after a failure', async () => {
  const limited = ['-c', 'ulimit -n 120; exec "$@"', 'sh', process.execPath, CHILD];
  const { stdout } = await promisify(execFile)('sh', limited, { env: INHERITED });
  assert.deepEqual(JSON.parse(stdout), [true, true, false, true]);
});
