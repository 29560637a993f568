/** Parses a command line, runs its command, and turns errors into messages and exit codes. */
import { parseArgs } from 'node:util';
import { createClient } from './client.ts';
import type { Command, Context, Option } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { ConnectionError, ResponseError, UsageError } from './errors.ts';
import { commandHelp, overview } from './help.ts';

const DEFAULT_URL = 'http://localhost:3000';
const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

export const COMMON_OPTIONS = {
  url: { type: 'string', value: 'URL', help: `Address of the service, or ATELIER_URL; ${DEFAULT_URL}` },
  key: {
    type: 'string',
    value: 'KEY',
    help: 'API key, better given as ATELIER_KEY: other users see arguments',
  },
  json: { type: 'boolean', help: 'Print the responses of the service as JSON, one per line' },
  help: { type: 'boolean', short: 'h', help: 'Print this help' },
} as const satisfies Record<string, Option>;

interface Output {
  write(data: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The surroundings of a process. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interrupted: AbortSignal;
}

/** @returns the exit code: 0 success, 1 an error or a job that failed, 2 wrong arguments, 130 interrupted */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr, interrupted } = surroundings;
  const note = (line: string) => void stderr.write(`${line}\n`);
  const [name, ...rest] = args;
  if (name === undefined || ['help', '--help', '-h'].includes(name)) {
    (name === undefined ? stderr : stdout).write(`${overview(COMMANDS, COMMON_OPTIONS)}\n`);
    return name === undefined ? EXIT.usage : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    note(`Unknown command ${JSON.stringify(name)}. Commands: ${Object.keys(COMMANDS).join(', ')}.`);
    return EXIT.usage;
  }
  try {
    const { values, positionals } = parse(command, rest);
    if (values.help) {
      stdout.write(`${commandHelp(name, command, COMMON_OPTIONS)}\n`);
      return 0;
    }
    checkCount(command, positionals);
    const context = createContext(surroundings, note, values);
    return (await command.run(context, positionals, values)) ?? 0;
  } catch (error) {
    if (interrupted.aborted) return EXIT.interrupted;
    if (error instanceof UsageError) {
      note(`${error.message}\nSee: npx atelier ${name} --help`);
      return EXIT.usage;
    }
    if (!(error instanceof ResponseError || error instanceof ConnectionError)) throw error;
    const problem = error instanceof ResponseError && rest.includes('--json') ? error.problem : null;
    note(problem ? JSON.stringify(problem) : error.message);
    return EXIT.failed;
  }
}

function parse({ options }: Command, args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { ...options, ...COMMON_OPTIONS } });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function checkCount({ parameters }: Command, given: readonly string[]): void {
  const allowsMore = parameters.at(-1)?.endsWith('…');
  if (given.length === parameters.length || (allowsMore && given.length > parameters.length)) return;
  const expected = parameters.length === 0 ? 'no arguments' : parameters.join(' ');
  throw new UsageError(`Expected ${expected}, but got ${given.length} arguments.`);
}

interface CommonValues {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly json?: boolean | undefined;
}

function createContext(surroundings: Surroundings, note: Context['note'], values: CommonValues): Context {
  const { stdout, environment, interrupted } = surroundings;
  const url = values.url ?? (environment['ATELIER_URL'] || DEFAULT_URL);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new UsageError(
      `The address must be an http or https URL, such as ${DEFAULT_URL}, but is "${url}".`,
    );
  }
  const key = values.key ?? (environment['ATELIER_KEY'] || undefined);
  if (key !== undefined && !/^[!-~]+$/.test(key)) {
    throw new UsageError('The API key must consist of visible ASCII characters.');
  }
  return {
    client: createClient(url, key, interrupted, note),
    json: values.json ?? false,
    interrupted,
    columns: stdout.isTTY ? (stdout.columns ?? 80) : null,
    write: (data) => void stdout.write(data),
    note,
  };
}
