/** Entry of the command line client: connects it to the process. */
import { createInterface } from 'node:readline/promises';
import { runCommandLine } from './run-command-line.ts';

const interruption = new AbortController();
// A second Ctrl-C ends the process at once.
process.once('SIGINT', () => interruption.abort());
// The reader of a pipe, such as `head`, may end first.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));

async function ask(question: string): Promise<string> {
  using prompt = createInterface({ input: process.stdin, output: process.stderr });
  return prompt.question(question, { signal: interruption.signal });
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : null,
  interrupted: interruption.signal,
});
