import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../src/store/sqlite/open.ts';
import { temporaryDirectory } from '../store/fixtures.ts';

/** Runs a command. Returns its exit code and what it has printed. */
function run(command: string, args: readonly string[], environment: Record<string, string>) {
  const entry = join(import.meta.dirname, '../../src/commands', command);
  const env = { ...process.env, ...environment };
  return new Promise<{ code: number; output: string }>((resolve) => {
    const child = execFile(process.execPath, [entry, ...args], { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode!, output: stdout + stderr }),
    );
  });
}

test('a backup is a new directory that only its owner can read, and can be restored', async (t) => {
  const directory = await temporaryDirectory(t);
  const [original, backup, restored] = ['original', 'backup', 'restored'].map((name) =>
    join(directory, name),
  );
  const { close } = await openStore(original!);
  await close();
  assert.deepEqual(await run('backup.ts', [backup!], { STATE_DIR: original! }), {
    code: 0,
    output: `Copied the database and 0 files to ${backup}.\n`,
  });
  assert.equal((await stat(backup!)).mode & 0o777, 0o700);
  const [again, copied] = await Promise.all([
    run('backup.ts', [backup!], { STATE_DIR: original! }),
    run('restore.ts', [backup!], { STATE_DIR: restored! }),
  ]);
  assert.equal(again.code, 1);
  assert.match(again.output, /backup exists already\. Choose a directory/);
  assert.equal(copied.code, 0);
  assert.match(copied.output, /^Restored the database and 0 files to .*restored\. /);
  assert.equal((await stat(restored!)).mode & 0o777, 0o700);
  assert.equal((await stat(join(restored!, 'atelier.sqlite'))).mode & 0o777, 0o600);
});

test('the commands name the tools of PostgreSQL for its databases, and none is migrated without one', async () => {
  const DATABASE_URL = 'postgresql://localhost/none';
  const outputs = await Promise.all([
    run('backup.ts', ['none'], { DATABASE_URL }),
    run('restore.ts', ['none'], { DATABASE_URL }),
    run('migrate.ts', [], {}),
  ]);
  assert.deepEqual(
    outputs.map(({ code }) => code),
    [1, 1, 1],
  );
  assert.match(outputs[0].output, /Copy it with pg_dump\. This copies everything/);
  assert.match(outputs[1].output, /restore the dump with pg_restore\.$/m);
  assert.match(outputs[2].output, /^Set DATABASE_URL\./);
});
