/** Command lines of the programs for a state: one directory or no arguments, and the end after an error. */
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
