/** PgBouncer in transaction mode, in front of a PostgreSQL server, for tests. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { addCleanup, type Scope } from '../start-service.ts';
import { freePort } from './postgres-server.ts';

const BINARY = '/usr/sbin/pgbouncer';

/** The `skip` option of tests that need PgBouncer. With CI=true such tests fail instead. */
export const withoutPgBouncer =
  !existsSync(BINARY) && process.env['CI'] !== 'true'
    ? 'PgBouncer is not installed: apt-get install pgbouncer (it need not run; the tests start their own)'
    : false;

/** @returns the address of the same database through PgBouncer, which ends with the scope */
export async function startPgBouncer(scope: Scope, url: string): Promise<string> {
  const target = new URL(url);
  const directory = await mkdtemp(join(tmpdir(), 'atelier-pgbouncer-'));
  addCleanup(scope, () => rm(directory, { recursive: true, force: true }));
  const port = await freePort();
  const config = join(directory, 'pgbouncer.ini');
  const users = join(directory, 'users.txt');
  await writeFile(users, `"${target.username}" ""\n`);
  await writeFile(
    config,
    `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
max_prepared_statements = 100
`,
  );
  // It refuses to run as root.
  const isRoot = userInfo().uid === 0;
  if (isRoot) execFileSync('chown', ['-R', 'postgres', directory]);
  const child = spawn(BINARY, [...(isRoot ? ['-u', 'postgres'] : []), config], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  addCleanup(scope, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    let lines = '';
    child.stderr.on('data', (chunk) => {
      lines += chunk;
      if (lines.includes('process up')) resolve();
    });
    child.once('exit', () => reject(new Error(`PgBouncer has ended: ${lines}`)));
  });
  target.port = String(port);
  return target.href;
}
