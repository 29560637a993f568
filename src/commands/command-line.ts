/** Command lines of the programs for a state, and their end after an error. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Ends the process with code 1. */
export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Exits with code 2 after the usage if the arguments are others; with code 0 after `--help`. */
export function readDirectoryArgument(usage: string): string {
  const [directory, ...rest] = parse(usage);
  if (!directory || rest.length > 0) exitWithUsage(usage);
  return directory;
}

/** For a program without arguments: exits with code 2 after the usage if there are any, and with code 0 after `--help`. */
export function rejectArguments(usage: string): void {
  if (parse(usage).length > 0) exitWithUsage(usage);
}

const MOVE_USAGE = `Usage:
  npx atelier migrate-state --to postgres://…                 moves STATE_DIR into a database
  npx atelier migrate-state --from postgres://… --to folder   moves a database into a state directory`;

const IS_DATABASE = /^postgres(ql)?:/;

/**
 * For the program that moves a state: exits with code 1 after the usage if the arguments are others, with code 0 after `--help`.
 * @returns the database, and the folder to which its state is moved; undefined if STATE_DIR is moved to the database
 */
export function readMoveArguments(): { readonly folder?: string; readonly url: string } {
  const option = { type: 'string' } as const;
  try {
    const options = { from: option, to: option, help: { type: 'boolean', short: 'h' } } as const;
    const { from, to, help } = parseArgs({ options }).values;
    if (help) {
      console.log(MOVE_USAGE);
      process.exit();
    }
    if (to !== undefined && from === undefined && IS_DATABASE.test(to)) return { url: to };
    if (to !== undefined && from !== undefined && IS_DATABASE.test(from) && !IS_DATABASE.test(to)) {
      return { url: from, folder: resolve(to) };
    }
  } catch {} // an unknown option
  return fail(MOVE_USAGE);
}

function parse(usage: string): string[] {
  try {
    const options = { help: { type: 'boolean', short: 'h' } } as const;
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (!values.help) return positionals;
  } catch {
    exitWithUsage(usage);
  }
  console.log(usage);
  process.exit(0);
}

function exitWithUsage(usage: string): never {
  console.error(usage);
  process.exit(2);
}
