import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../store/fixtures.ts';

const ENTRY = join(import.meta.dirname, '../../src/commands/migrate-state.ts');
/** No database answers at this port. */
const URL = 'postgresql://127.0.0.1:1/none';

/** Runs the command. Returns its exit code and what it has printed. */
function migrateState(STATE_DIR: string, ...args: readonly string[]) {
  return new Promise<[code: number, output: string]>((resolve) => {
    const env = { ...process.env, STATE_DIR };
    const child = execFile(process.execPath, [ENTRY, ...args], { env }, (_error, stdout, stderr) =>
      resolve([child.exitCode!, stdout + stderr]),
    );
  });
}

test('a state is moved from a directory that exists, or into one that only its owner can read', async (t) => {
  const directory = await temporaryDirectory(t);
  const [missing, target] = [join(directory, 'missing'), join(directory, 'target')];
  const [to, from] = await Promise.all([
    migrateState(missing, '--to', URL),
    migrateState(missing, '--from', URL, '--to', target),
  ]);
  assert.deepEqual(to, [
    1,
    `${missing}/atelier.sqlite does not exist. Set STATE_DIR to the state directory.\n`,
  ]);
  assert.equal(from[0], 1);
  assert.match(from[1], /^The database does not answer \(ECONNREFUSED\)\. /);
  const modes = await Promise.all([target, join(target, 'atelier.sqlite')].map((path) => stat(path)));
  assert.deepEqual(
    modes.map(({ mode }) => mode & 0o777),
    [0o700, 0o600],
  );
});
