import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../src/config/read.ts';
import { AtelierError } from '../../src/errors.ts';
import type { TransferOptions } from '../../src/store/transfer/run.ts';
import { temporaryDirectory } from '../store/fixtures.ts';
import { type Fakes, withFakes } from '../support/fake-modules.ts';

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

/** Runs the command in this process, with other modules. Returns what it prints. */
async function runWith(t: TestContext, fakes: Fakes, argv: readonly string[], env: NodeJS.ProcessEnv) {
  const printed: string[] = [];
  const masks: unknown[] = [];
  t.mock.method(console, 'log', (message: string) => void printed.push(message));
  t.mock.method(console, 'error', (message: string) => void printed.push(`error: ${message}`));
  t.mock.method(process, 'exit', (code: number) => void printed.push(`exit ${code}`));
  t.mock.method(process, 'umask', (mask: unknown) => void masks.push(mask));
  t.mock.property(process, 'argv', ['node', ENTRY, ...argv]);
  t.mock.property(process, 'env', env);
  try {
    await withFakes(ENTRY, fakes, () => {});
  } finally {
    t.mock.restoreAll();
  }
  assert.deepEqual(masks, [0o077]);
  return printed;
}

/** Two sides and a queue that record what happens, in order. The transfer does nothing but completes. */
function createFakes(isNew: boolean, transfer?: () => never) {
  const calls: unknown[] = [];
  const record =
    <Result>(name: string, result: Result) =>
    async (...args: unknown[]): Promise<Result> => {
      calls.push([name, ...args]);
      return result;
    };
  const trx = 'transaction';
  const db = {
    transaction: () => ({ execute: (work: (each: string) => Promise<void>) => work(trx) }),
  };
  const directory = {
    db: 'rows of the directory',
    temporary: '/state/temporary',
    recoverJobs: record('recoverJobs', undefined),
    close: record('close directory', undefined),
  };
  const shared = { db, close: record('close database', undefined) };
  const queued = ['first', 'second'];
  const fakes: Fakes = {
    'postgres/migrate.ts': { migratePostgres: record('migratePostgres', undefined) },
    'pg-boss.ts': {
      migrateBoss: record('migrateBoss', undefined),
      startBoss: async ({ onError }: { onError: (error: Error) => void }) => {
        onError(new Error('a failure that is repeated'));
        calls.push(['startBoss']);
        return { close: record('close boss', undefined) };
      },
    },
    'tickets.ts': { createTickets: () => ({ follow: record('follow', undefined) }) },
    'queue-order.ts': {
      selectQueued: (given: unknown) => {
        assert.equal(given, db);
        return { select: (column: string) => ({ execute: record(`select ${column}`, queued) }) };
      },
    },
    'connect.ts': { connectPostgres: record('connectPostgres', 'connections') },
    'blobs/chunked.ts': { createChunkedBlobs: (given: unknown) => ['chunked', given] },
    'blobs/registered.ts': {
      createRegisteredBlobs: (...given: unknown[]) => ({ blobs: ['registered', ...given] }),
    },
    'shared-state.ts': { openSharedState: record('openSharedState', shared) },
    'state-directory.ts': { openStateDirectory: record('openStateDirectory', directory) },
    'transfer/tables.ts': { transferredColumns: record('transferredColumns', 'columns') },
    'transfer/run.ts': {
      transferState: async (options: TransferOptions) => {
        const { source, target, columns, temporary, complete, report } = options;
        const name = (side: unknown) =>
          side === directory ? 'directory' : side === shared ? 'database' : 'none';
        calls.push(['transferState', name(source), name(target), columns, temporary]);
        transfer?.();
        await complete();
        report('Copied.');
        return isNew;
      },
    },
  };
  return { calls, fakes };
}

const EQUAL = 'Source and target are equal. The source is unchanged; keep it until you trust the target.';
const MOVED = 'This state has been moved before. Nothing was changed.';
const OPENED = (...blobs: readonly unknown[]) => [
  ['migratePostgres', 'postgres://direct/none'],
  ['migrateBoss', 'postgres://direct/none'],
  ['connectPostgres', { url: URL, poolSize: 2 }],
  ['openSharedState', 'connections', { blobs, isBucket: blobs[0] === 'registered' }],
];
const DIRECT = { DATABASE_DIRECT_URL: 'postgres://direct/none', STATE_DIR: '/state' };

test('a state that is moved to a database gets tickets in the order of the queue', async (t) => {
  const { calls, fakes } = createFakes(true);
  assert.deepEqual(await runWith(t, fakes, ['--to', URL], DIRECT), ['Copied.', EQUAL]);
  assert.deepEqual(calls, [
    ['openStateDirectory', '/state', true],
    ...OPENED('chunked', 'connections'),
    ['recoverJobs'],
    ['transferredColumns', 'rows of the directory'],
    ['transferState', 'directory', 'database', 'columns', '/state/temporary'],
    ['startBoss'],
    ['select status'],
    ['follow', 'transaction', 'first'],
    ['follow', 'transaction', 'second'],
    ['close boss'],
    ['close database'],
    ['close directory'],
  ]);
});

test('a state that is moved from a database and a bucket gets no tickets', async (t) => {
  const { calls, fakes } = createFakes(false);
  const BLOB_URL = 's3://bucket';
  const environment = { ...DIRECT, BLOB_URL, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  const printed = await runWith(t, fakes, ['--from', URL, '--to', '/moved'], environment);
  assert.deepEqual(printed, ['Copied.', MOVED]);
  const { blobCredentials } = readConfig({ ...environment, DATABASE_URL: URL }).database!;
  assert.deepEqual(calls, [
    ['openStateDirectory', '/moved', false],
    ...OPENED('registered', 'connections', BLOB_URL, blobCredentials),
    ['transferredColumns', 'rows of the directory'],
    ['transferState', 'database', 'directory', 'columns', '/state/temporary'],
    ['close database'],
    ['close directory'],
  ]);
});

test('a transfer that fails is reported as a sentence, and both sides are closed', async (t) => {
  for (const [error, message] of [
    [new AtelierError('state-unusable', 'It is in use.'), 'It is in use.'],
    [new TypeError('a defect'), 'TypeError: a defect'],
  ] as const) {
    const { calls, fakes } = createFakes(true, () => {
      throw error;
    });
    assert.deepEqual(await runWith(t, fakes, ['--to', URL], DIRECT), [`error: ${message}`, 'exit 1']);
    assert.deepEqual(calls.slice(-2), [['close database'], ['close directory']]);
  }
});
