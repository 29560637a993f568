/** Commands for a service on this machine. Each is a program that takes the place of the command line. */
import { fileURLToPath } from 'node:url';
import { replaceProcess, withDefaults } from './environment.ts';
import { serve } from './serve.ts';

interface Program {
  readonly summary: string;
  readonly parameters: readonly string[];
  /** @returns the exit code, unless the program has taken the place of this process */
  run(args: string[]): Promise<number>;
}

/** @param file the program, relative to this file */
function program(summary: string, parameters: readonly string[], file: string): Program {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return { summary, parameters, run: async (args) => replaceProcess([path, ...args], withDefaults()) };
}

/** In the order of the help. */
export const PROGRAMS: Readonly<Record<string, Program>> = {
  serve,
  data: program('Download Fashion-MNIST, as serve does', [], '../../scripts/data.ts'),
  key: program('Create an API key', ['[name scope…]'], '../../scripts/key.ts'),
  backup: program(
    'Copy the state, also while the service runs',
    ['directory'],
    '../../src/commands/backup.ts',
  ),
  restore: program(
    'Put a backup into an empty folder for the state',
    ['directory'],
    '../../src/commands/restore.ts',
  ),
  migrate: program('Update the database of DATABASE_URL', [], '../../src/commands/migrate.ts'),
  'migrate-state': program(
    'Move the state into a database, or back',
    ['--to database'],
    '../../src/commands/migrate-state.ts',
  ),
};
