/** `atelier serve`: fetches Fashion-MNIST if it is missing, and then starts the service with the flags of `npm start`. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArguments } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { commandHelp } from '../help.ts';
import { replaceProcess, withDefaults } from './environment.ts';

const DATA = fileURLToPath(new URL('../../scripts/data.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const OPEN_PAGE = fileURLToPath(new URL('./open-page.ts', import.meta.url));
/** A smaller space for new objects takes 16 MiB instead of 64. With 0, V8 starts fewer helper threads than there are processors, instead of 4. */
export const FLAGS = ['--max-semi-space-size=8', '--v8-pool-size=0'];

const MAX_PORT = 65_535;

const COMMAND = {
  summary: 'Start a service with its state in ./atelier-state',
  parameters: [],
  options: {
    port: { type: 'string', value: '3000', help: 'Port to listen on, or PORT; 0 selects a free one' },
    state: { type: 'string', value: 'FOLDER', help: 'Folder of the state, or STATE_DIR; ./atelier-state' },
    open: { type: 'boolean', help: 'Open the page in the browser' },
  },
  notes:
    'All other settings are environment variables. Fashion-MNIST is fetched once, into DATA_DIR or your folder for\n' +
    'caches. Ctrl-C stops the service.',
} as const;
const HELP = { help: { type: 'boolean', short: 'h', help: 'Print this help' } } as const;

/** @returns the exit code, if no service starts. @throws UsageError */
async function start(args: string[]): Promise<number> {
  const { values } = parseArguments(COMMAND, HELP, args);
  if (values['help']) {
    console.log(commandHelp('serve', COMMAND, HELP));
    return 0;
  }
  const { port, state, open } = values as { port?: string; state?: string; open?: boolean };
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= MAX_PORT)) {
    throw new UsageError(`--port must be a whole number from 0 to ${MAX_PORT}, but is "${port}".`);
  }
  const environment = {
    ...withDefaults(),
    ...(port !== undefined && { PORT: port }),
    ...(state !== undefined && { STATE_DIR: state }),
  };
  if (open && environment.PORT === '0') throw new UsageError('With --open, the port must not be 0.');
  const exitCode = await fetchData(environment);
  if (exitCode !== 0) return exitCode;
  if (open) openPageLater(environment);
  return replaceProcess([...FLAGS, MAIN], environment);
}

export const serve = { ...COMMAND, run: start };

/** @returns the exit code */
async function fetchData(environment: Record<string, string>): Promise<number> {
  // As before `npm start`: of files that are there, only the headers are read.
  const env = { ...environment, npm_lifecycle_event: 'prestart' };
  const child = spawn(process.execPath, [DATA], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = (await once(child, 'close')) as [number, null] | [null, NodeJS.Signals];
  return code ?? 128 + constants.signals[signal];
}

function openPageLater({ HOST = '', PORT = '3000' }: Record<string, string>): void {
  const host = ['', '0.0.0.0', '::'].includes(HOST) ? 'localhost' : HOST.replace(/.*:.*/, '[$&]');
  const args = [OPEN_PAGE, `http://${host}:${PORT}/`, String(process.pid)];
  // In the background of a shell, because the service, which replaces this process, does not wait for children.
  spawnSync('sh', ['-c', '"$0" "$@" &', process.execPath, ...args], { stdio: 'inherit' });
}
