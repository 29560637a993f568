/** A server of a Debian package, which ends with the test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { addCleanup, type Scope } from '../start-service.ts';

/** An address of its own for each process, so that tests do not compete for a port. */
export const LOOPBACK = `127.${(process.pid >> 16) & 255}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

/** Starts a program, and resolves when a request for `url` gets a response that `isReady` accepts. */
export async function startServer(
  t: Scope,
  [program, ...options]: readonly [string, ...string[]],
  cwd: string,
  url: string,
  isReady: (response: Response) => boolean,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const child = spawn(program, options, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (bytes) => (output += bytes));
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()));
  addCleanup(t, async () => {
    child.kill();
    await exited;
  });
  while (!(await fetch(url, { redirect: 'manual' }).then(isReady, () => false))) {
    assert.equal(child.exitCode, null, output);
    await wait(20);
  }
}
