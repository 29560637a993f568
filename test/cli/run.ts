/** Runs the command line client in this process, and collects its output. */
import { runCommandLine } from '../../cli/run-command-line.ts';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param terminal whether stdout is a terminal of 100 columns
 * @param answer to every question; null if nobody can be asked
 */
export async function run(
  args: readonly string[],
  environment: Record<string, string>,
  terminal = false,
  answer: string | null = null,
): Promise<Result> {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written) => ({
    write(data: string | Uint8Array) {
      written[name] += data;
    },
    isTTY: terminal,
    columns: 100,
  });
  const code = await runCommandLine(args, {
    stdout: output('stdout'),
    stderr: output('stderr'),
    environment,
    ask:
      answer === null
        ? null
        : async (question) => {
            written.stderr += question;
            return answer;
          },
    interrupted: new AbortController().signal,
  });
  return { code, ...written };
}
