/** The entry of the command line client, run in this process. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

const MAIN = new URL('../../cli/main.ts', import.meta.url).href;
let runs = 0;

/** Runs the entry with arguments, and keeps its listeners from this process. */
function start(t: TestContext, args: readonly string[]) {
  const { argv, exitCode } = process;
  t.after(() => {
    process.argv = argv;
    process.exitCode = exitCode;
  });
  process.argv = [process.execPath, 'main.ts', ...args];
  const once = t.mock.method(process, 'once', () => process);
  const on = t.mock.method(process.stdout, 'on', () => process.stdout);
  const stderr = t.mock.method(process.stderr, 'write', () => true);
  // Every run evaluates the module again.
  const ended: Promise<unknown> = import(`${MAIN}?run=${runs++}`);
  type Listener = (error?: { code: string }) => void;
  return {
    ended,
    listeners: () =>
      [...once.mock.calls, ...on.mock.calls].map((call) => call.arguments as unknown as [string, Listener]),
    text: () => stderr.mock.calls.map((call) => String((call.arguments as unknown[])[0])).join(''),
  };
}

test('the process ends with the exit code of the command, whose notes are errors', async (t) => {
  const { ended, text } = start(t, ['trian']);
  await ended;
  assert.equal(process.exitCode, 2);
  assert.match(text(), /^Unknown command "trian"\. Did you mean train\?/);
});

test('Ctrl-C interrupts the command once, and the end of a pipe ends the process without an error', async (t) => {
  const requested = Promise.withResolvers<AbortSignal>();
  t.mock.method(globalThis, 'fetch', (_url: URL, { signal }: { signal: AbortSignal }) => {
    requested.resolve(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const { ended, listeners } = start(t, ['jobs']);
  const signal = await requested.promise;
  const [[interruption, interrupt], [event, fail]] = listeners() as [
    ReturnType<typeof listeners>[0],
    ReturnType<typeof listeners>[0],
  ];
  assert.deepEqual([interruption, event, signal.aborted], ['SIGINT', 'error', false]);
  interrupt();
  await ended;
  assert.equal(process.exitCode, 130);
  const exit = t.mock.method(process, 'exit', () => undefined as never);
  for (const code of ['EPIPE', 'EIO']) fail({ code });
  assert.deepEqual(
    exit.mock.calls.map((call) => call.arguments),
    [[0], [1]],
  );
});
