/** nginx and other programs of Debian packages, which are unpacked but not installed. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { downloadDebianPackage } from '../scripts/data/debian-package.ts';
import { LOOPBACK, startServer } from './start-server.ts';
import { type Scope, temporaryDirectory } from './start-service.ts';

export const PROXY = `${LOOPBACK}:18080`;

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
  const base = `http://${PROXY}`;
  await startServer(t, [program, ...options], folder, base, () => true);
  return base;
}
