/** Parses a command line, runs its command, and turns errors into messages and exit codes. */
import packageJson from '../package.json' with { type: 'json' };
import { parseArguments, suggest } from './arguments.ts';
import { createClient } from './client.ts';
import type { Command, Context, Option } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { ConnectionError, ResponseError, UsageError } from './errors.ts';
import { commandHelp, overview } from './help.ts';
import { CLEAR_LINE, printable } from './text.ts';

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
  readonly ask?: Context['ask'];
  readonly interrupted: AbortSignal;
}

/** @returns the exit code: 0 success, 1 an error or a job that failed, 2 wrong arguments, 3 an unsure prediction, 130 interrupted */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr, interrupted } = surroundings;
  const showStatus = (text: string) => {
    if (stderr.isTTY) stderr.write(CLEAR_LINE + text.slice(0, (stderr.columns || 80) - 1));
  };
  const note = (line: string) => {
    showStatus('');
    stderr.write(`${line.split('\n').map(printable).join('\n')}\n`);
  };
  const [name, ...rest] = args;
  if (name === undefined || ['help', '--help', '-h'].includes(name)) {
    const help = overview(await loadPrograms(), await loadCommands(), COMMON_OPTIONS);
    (name === undefined ? stderr : stdout).write(`${help}\n`);
    return name === undefined ? EXIT.usage : 0;
  }
  if (name === '--version') {
    stdout.write(`${packageJson.version}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]!() : undefined;
  const programs = command === undefined ? await loadPrograms() : {};
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (command === undefined && program === undefined) {
    const names = Object.keys({ ...programs, ...COMMANDS });
    const advice = suggest(name, names) || ` Commands: ${names.join(', ')}.`;
    note(`Unknown command ${JSON.stringify(name)}.${advice}`);
    return EXIT.usage;
  }
  try {
    if (command === undefined) return await program!.run(rest);
    const { values, positionals } = parseArguments(command, COMMON_OPTIONS, rest);
    if (values['help']) {
      stdout.write(`${commandHelp(name, command, COMMON_OPTIONS)}\n`);
      return 0;
    }
    const context = { ...createContext(surroundings, note, values as CommonValues), note, showStatus };
    const ran = command.run(context, positionals, values).catch(async (error) => {
      // A field that the response does not have, or has as another type.
      if (error instanceof TypeError || error instanceof SyntaxError) await context.client.assertAtelier();
      throw error;
    });
    return (await ran) ?? 0;
  } catch (error) {
    if (interrupted.aborted) return EXIT.interrupted;
    if (error instanceof UsageError) {
      note(`${error.message}\nSee: npx atelier ${name} --help`);
      return EXIT.usage;
    }
    if (!(error instanceof ResponseError || error instanceof ConnectionError)) throw error;
    const problem = error instanceof ResponseError && rest.includes('--json') ? error.problem : null;
    note(problem ? JSON.stringify(problem) : nameOptions(error.message, command!.options));
    return EXIT.failed;
  }
}

const loadPrograms = async () => (await import('./service/programs.ts')).PROGRAMS;

async function loadCommands(): Promise<Record<string, Command>> {
  const loaded = Object.entries(COMMANDS).map(async ([name, load]) => [name, await load()] as const);
  return Object.fromEntries(await Promise.all(loaded));
}

/** Names the options of a command where the service names fields of a form: `--test-fraction 0.2` for `testFraction=0.2`. */
function nameOptions(message: string, options: Readonly<Record<string, Option>>): string {
  return message.replace(/\b(\w+)=(?=\S)/g, (text, field: string) => {
    const option = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return Object.hasOwn(options, option) ? `--${option} ` : text;
  });
}

interface CommonValues {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly json?: boolean | undefined;
}

function createContext(
  surroundings: Surroundings,
  note: Context['note'],
  values: CommonValues,
): Omit<Context, 'note' | 'showStatus'> {
  const { stdout, environment, interrupted, ask = null } = surroundings;
  const given = values.url ?? (environment['ATELIER_URL'] || DEFAULT_URL);
  const url = given.includes('://') ? given : `http://${given}`;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new UsageError(
      `The address must be an http or https URL, such as ${DEFAULT_URL}, but is "${given}".`,
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
    ask,
    columns: stdout.isTTY ? stdout.columns || 80 : null,
    write: (data) => void stdout.write(data),
  };
}
