/**
 * A PostgreSQL server for tests, on a free port of the loopback address and in a temporary directory. The test runner
 * loads this file as its global setup, so that all test files share one server; a test file that runs alone starts its own.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The address of the shared server, in the environment of the test files. */
export const SERVER_VARIABLE = 'ATELIER_TEST_POSTGRES';
export const INSTALL_ADVICE =
  'PostgreSQL is not installed: apt-get install postgresql (it need not run; the tests start their own server)';

const DEBIAN_DIRECTORY = '/usr/lib/postgresql';
/** Tests do not survive a power failure, so nothing is synced. */
const UNSAFE_BUT_FAST = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'];

const run = promisify(execFile);

export interface PostgresServer {
  /** Address of the database `postgres`, as a superuser. */
  readonly url: string;
  readonly directory: string;
  /** The process id of the server. */
  readonly pid: number;
  /** Stops the server at once, as a crash does, and keeps its files. */
  kill(): Promise<void>;
  /** Starts the server again on the same port. */
  restart(): Promise<void>;
  /** Stops the server and removes its files. */
  remove(): Promise<void>;
  /** Lets this process end while the server runs, and removes the server then. */
  removeAtExit(): void;
}

/** The folder of the newest installed server, or undefined. */
export function postgresBinaries(): string | undefined {
  if (!existsSync(DEBIAN_DIRECTORY)) return undefined;
  const versions = readdirSync(DEBIAN_DIRECTORY).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(DEBIAN_DIRECTORY, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

/**
 * @param settings further settings, such as `fsync=on`
 * @throws Error with the command that installs PostgreSQL if it is missing
 */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const bin = postgresBinaries();
  if (bin === undefined) throw new Error(INSTALL_ADVICE);
  const directory = await mkdtemp(join(tmpdir(), 'atelier-postgres-'));
  const data = join(directory, 'data');
  const port = await freePort();
  // The server refuses to run as root.
  const launcher = userInfo().uid === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
  const command = (name: string, ...parameters: string[]) => {
    const [first, ...rest] = [...launcher, join(bin, name), ...parameters];
    return { first: first!, rest };
  };
  const execute = async (name: string, ...parameters: string[]) => {
    const { first, rest } = command(name, ...parameters);
    await run(first, rest, { cwd: directory });
  };
  await chmod(directory, 0o755);
  if (launcher.length > 0) await run('chown', ['postgres', directory]);
  await execute(
    'initdb',
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '--no-sync',
  );

  let child: ReturnType<typeof spawn>;
  async function start(): Promise<void> {
    const options = [
      `listen_addresses=127.0.0.1`,
      `port=${port}`,
      `unix_socket_directories=${directory}`,
      'max_connections=300',
      ...UNSAFE_BUT_FAST,
      ...settings,
    ];
    const { first, rest } = command('postgres', '-D', data, ...options.flatMap((option) => ['-c', option]));
    child = spawn(first, rest, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    const lines: string[] = [];
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on('data', (chunk) => {
        lines.push(String(chunk));
        if (String(chunk).includes('ready to accept connections')) resolve();
      });
      child.once('exit', () => reject(new Error(`PostgreSQL has ended: ${lines.join('')}`)));
    });
  }
  await start();

  const stopping = ['stop', '-D', data, '-m', 'immediate', '-s'];

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    await execute('pg_ctl', ...stopping).catch(() => {}); // it may have ended by itself
    await ended;
  }

  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    directory,
    get pid() {
      return child.pid!;
    },
    kill,
    restart: start,
    async remove() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
    removeAtExit() {
      child.unref();
      (child.stderr as Socket).unref();
      process.once('exit', () => {
        const { first, rest } = command('pg_ctl', ...stopping);
        execFileSync(first, rest, { cwd: directory });
        rmSync(directory, { recursive: true, force: true });
      });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

let shared: PostgresServer | undefined;

/** Called by the test runner before the first test file. */
export async function globalSetup(): Promise<void> {
  if (postgresBinaries() === undefined) return;
  shared = await startPostgres();
  process.env[SERVER_VARIABLE] = shared.url;
}

/** Called by the test runner after the last test file. */
export async function globalTeardown(): Promise<void> {
  await shared?.remove();
}
