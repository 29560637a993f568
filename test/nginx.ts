/** nginx and other programs of Debian packages, which are unpacked but not installed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { downloadDebianPackage } from '../scripts/data/debian-package.ts';
import { addCleanup, type Scope, temporaryDirectory } from './start-service.ts';

/** An address of its own for each process, so that tests do not compete for a port. */
export const PROXY = `127.${(process.pid >> 16) & 255}.${(process.pid >> 8) & 255}.${process.pid & 255}:18080`;

/** @param path where the package installs the program */
export async function findProgram(name: string, path: string): Promise<string> {
  if (existsSync(path)) return path;
  const context = { say: () => {}, signal: AbortSignal.timeout(300_000) };
  return join(await downloadDebianPackage(name, await temporaryDirectory({ after }), context), path);
}

/**
 * Starts nginx, and resolves when it serves.
 * @param writeConfig returns the configuration, which listens on PROXY and writes to the given folder only
 */
export async function startNginx(
  t: Scope,
  program: string,
  writeConfig: (folder: string) => string,
): Promise<string> {
  const folder = await temporaryDirectory(t);
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'nginx.conf'), writeConfig(folder));
  const options = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off; master_process off;'];
  const child = spawn(program, options, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (bytes) => (output += bytes));
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()));
  addCleanup(t, async () => {
    child.kill();
    await exited;
  });
  const base = `http://${PROXY}`;
  while (
    !(await fetch(base).then(
      () => true,
      () => false,
    ))
  ) {
    assert.equal(child.exitCode, null, output);
    await wait(20);
  }
  return base;
}
