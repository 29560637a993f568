/** The command that moves a state, killed repeatedly, ends with an equal state. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { readBootstrapKey } from '../../src/store/bootstrap-key.ts';
import { withBlobTables } from '../../src/store/postgres/blobs/tables.ts';
import { connectPostgres } from '../../src/store/postgres/connect.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { openStateDirectory } from '../../src/store/transfer/state-directory.ts';
import { transferredColumns } from '../../src/store/transfer/tables.ts';
import { temporaryDirectory } from '../store/fixtures.ts';
import { fillDirectory, rowsOf } from '../store/transfer/filled-directory.ts';
import { execute, temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { CREDENTIALS, startS3 } from '../support/servers/s3-server.ts';
import { INHERITED } from '../support/start-process.ts';

const COMMAND = join(import.meta.dirname, '../../src/commands/migrate-state.ts');
const DONE = /Source and target are equal/;
const options = { skip: withoutPostgres };
const run = promisify(execFile);

/** Starts the command, and kills it when it has written this many lines. Returns its lines. */
async function killAfter(
  lines: number,
  stateDir: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<string[]> {
  const env = { ...INHERITED, STATE_DIR: stateDir, ...environment };
  const child = spawn(process.execPath, [COMMAND, ...args], { env });
  const closed = once(child, 'close');
  const written: string[] = [];
  child.stderr.on('data', (bytes) => written.push(String(bytes)));
  for await (const line of createInterface({ input: child.stdout })) {
    written.push(line);
    if (written.length === lines) child.kill('SIGKILL');
  }
  await closed;
  return written;
}

/** Kills the command after its first line, then after its second, until it ends before it is killed. */
async function moveWithKills(stateDir: string, args: readonly string[]): Promise<number> {
  for (let kills = 0; ; kills++) {
    const lines = await killAfter(kills + 1, stateDir, args);
    if (lines.some((line) => DONE.test(line))) return kills;
    assert.ok(kills < 30 && lines.length > 0 && /^Copied/.test(lines.at(-1)!), lines.join('\n'));
  }
}

async function readState(t: TestContext, path: string) {
  const directory = await openStateDirectory(path, true);
  t.after(directory.close);
  await directory.recoverJobs();
  return rowsOf(directory.db, await transferredColumns(directory.db));
}

test('a state moved to PostgreSQL and back is equal, even if the command is killed', options, async (t) => {
  const url = await temporaryDatabase(t, { collation: 'icu' });
  const path = await fillDirectory(t);
  const moved = await moveWithKills(path, ['--to', url]);
  assert.ok(moved > 5, `only ${moved} kills`);
  const again = await killAfter(Number.POSITIVE_INFINITY, path, ['--to', url]);
  assert.deepEqual(again, ['This state has been moved before. Nothing was changed.']);

  const back = join(await temporaryDirectory(t), 'state');
  await moveWithKills(back, ['--from', url, '--to', back]);
  assert.deepEqual(await readState(t, back), await readState(t, path));
  assert.deepEqual(await readBootstrapKey(back), await readBootstrapKey(path));
});

test('the bytes of a state are moved to a bucket and back', options, async (t) => {
  const s3 = await startS3();
  t.after(() => s3.close());
  const url = await temporaryDatabase(t);
  const path = await fillDirectory(t);
  const bucket = {
    BLOB_URL: s3.url,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
    AWS_REGION: CREDENTIALS.region,
  };
  await killAfter(1, path, ['--to', url], bucket);
  const lines = await killAfter(Number.POSITIVE_INFINITY, path, ['--to', url], bucket);
  assert.match(lines.join('\n'), DONE);
  const stored = await readChunkCount(url);
  assert.ok(s3.objects.size > 3 && stored === 0, `${s3.objects.size} objects, ${stored} chunks`);

  const back = join(await temporaryDirectory(t), 'state');
  const args = ['--from', url, '--to', back];
  assert.match((await killAfter(Number.POSITIVE_INFINITY, back, args, bucket)).join('\n'), DONE);
  assert.deepEqual(await readState(t, back), await readState(t, path));
});

async function readChunkCount(url: string): Promise<number> {
  const db = await connectPostgres({ url });
  const count = withBlobTables(db)
    .selectFrom('blob_chunks')
    .select(({ fn }) => fn.countAll<number>().as('n'));
  const { n } = await count.executeTakeFirstOrThrow();
  await db.destroy();
  return n;
}

test('the command names the reason if it cannot move a state', options, async (t) => {
  const url = await temporaryDatabase(t);
  const path = await fillDirectory(t);
  const fails = (message: RegExp, stateDir: string, ...args: string[]) =>
    assert.rejects(
      run(process.execPath, [COMMAND, ...args], { env: { ...INHERITED, STATE_DIR: stateDir } }),
      {
        stderr: message,
      },
    );
  await fails(/^Usage:/, path, '--to', 'mysql://x');
  await fails(/does not exist/, await temporaryDirectory(t), '--to', url);
  const store = await openStore(path);
  await fails(/is in use by another Atelier process/, path, '--to', url);
  await store.close();
  await fails(/is not empty/, path, '--from', url, '--to', path);
  await execute(
    url,
    `insert into atelier.replicas (id, role, slots, job_bytes, kernel, fused, heard, beat_at)
     values (gen_random_uuid(), 'all', 1, 1, '', 1, 0, now() + interval '1 hour')`,
  );
  await fails(/The database is in use by 1 Atelier processes/, path, '--to', url);
});
