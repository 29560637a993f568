/** A command: its help, its options, and the function that runs it. */
import type { ParseArgsOptionDescriptor, parseArgs } from 'node:util';
import type { Client } from './client.ts';

/** An option of `parseArgs`, with its line in the help. */
export interface Option extends ParseArgsOptionDescriptor {
  /** How the help names the value. */
  readonly value?: string;
  readonly help: string;
}
type Options = Readonly<Record<string, Option>>;

/** The service and the output of a command. */
export interface Context {
  readonly client: Client;
  /** Whether results are printed as JSON, one document per line. */
  readonly json: boolean;
  readonly interrupted: AbortSignal;
  /** Width of the terminal that shows the output; null if it is not a terminal. */
  readonly columns: number | null;
  /** Asks the user and returns the answer; null if nobody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Writes to stdout. */
  write(data: string | Uint8Array): void;
  /** Writes a line to stderr. */
  note(line: string): void;
  /** Replaces the last line of stderr, if that is a terminal, until the next note; an empty text removes it. */
  showStatus(text: string): void;
}

type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

export interface Command<O extends Options = Options> {
  /** A sentence without a full stop that describes the command. */
  readonly summary: string;
  /** The names of its arguments; `…` after the last one allows several. */
  readonly parameters: readonly string[];
  readonly options: O;
  /** Further lines of the help. */
  readonly notes?: string;
  /** @returns the exit code, 0 for none */
  run(context: Context, parameters: string[], values: Values<O>): Promise<number | undefined>;
}

/** Types the values of a command by its options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}

/** Prints a result: as JSON with `--json`, else as text. */
export function printResult({ json, write }: Context, result: unknown, text: () => string): void {
  write(`${json ? JSON.stringify(result) : text()}\n`);
}
