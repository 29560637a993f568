import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { INHERITED } from '../support/start-process.ts';

const CHILD = join(import.meta.dirname, 'children/stopping.ts');

/** Starts the process and sends it the signals. Returns how it ended, and its log lines. */
async function stop(args: readonly string[], ...signals: NodeJS.Signals[]) {
  const stdio = ['ignore', 'pipe', 'inherit', 'ipc'] as const;
  const child = fork(CHILD, args, { env: INHERITED, execArgv: [], stdio: [...stdio] });
  const [output, exited] = [text(child.stdout!), once(child, 'exit')];
  await once(child, 'message');
  child.send(signals);
  // The log has no query strings, because they may contain keys.
  assert.doesNotMatch(await output, /secret/);
  const log = Array.from((await output).matchAll(/"msg":"(.*?)"/g), ([, message]) => message);
  return { end: await exited, log };
}

test('stops in order on a signal, whether it arrives once or twice at the same moment', async () => {
  const stopped = { end: [0, null], log: ['stopping', 'stopped'] };
  assert.deepEqual(await stop(['60', 'in order'], 'SIGTERM', 'SIGTERM'), stopped);
  assert.deepEqual(await stop(['60', 'in order'], 'SIGHUP'), stopped);
});

test('SIGHUP does not stop a service that reads its keys from a file', async () => {
  assert.deepEqual(await stop(['60', 'in order', 'read'], 'SIGHUP', 'SIGINT'), {
    end: [0, null],
    log: ['read', 'stopping', 'stopped'],
  });
});

test('exits with code 1 if it cannot close, or not in time', async () => {
  assert.deepEqual(await stop(['60', 'fails'], 'SIGQUIT'), {
    end: [1, null],
    log: ['stopping', 'unclean shutdown'],
  });
  assert.deepEqual(await stop(['1', 'hangs'], 'SIGTERM'), {
    end: [1, null],
    log: ['stopping', 'not stopped within SHUTDOWN_GRACE_SECONDS=1'],
  });
});

test('exits with code 1 after an exception that nothing catches', async () => {
  assert.deepEqual(await stop(['60', 'in order', 'fails'], 'SIGHUP'), {
    end: [1, null],
    log: ['uncaught exception, stopping', 'stopped'],
  });
});

test('is killed when the grace period ends while its main thread is blocked', async () => {
  const { end } = await stop(['1', 'blocks'], 'SIGTERM');
  assert.deepEqual(end, [null, 'SIGKILL']);
});
