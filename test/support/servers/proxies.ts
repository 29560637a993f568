/** nginx and Caddy of Debian packages, which are unpacked but not installed. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { downloadDebianPackage } from '../../../scripts/data/debian-package.ts';
import { type Scope, temporaryDirectory } from '../start-service.ts';
import { LOOPBACK, startServer } from './start-server.ts';

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

/**
 * Starts Caddy, which makes no outgoing connections, and resolves when it serves.
 * @param sites listen on PROXY; with TLS, the certificate is one of Caddy's own authority
 * @returns the address, and the file of the certificate of that authority, which is made for the first site with TLS
 */
export async function startCaddy(
  t: Scope,
  program: string,
  sites: string,
): Promise<{ base: string; authority: string }> {
  const folder = await temporaryDirectory(t);
  const options = ['admin off', 'skip_install_trust', 'auto_https disable_redirects'];
  const global = [...options, `storage file_system ${folder}`, `default_bind ${LOOPBACK}`].join('\n');
  await writeFile(join(folder, 'Caddyfile'), `{\n${global}\n}\n${sites}`);
  const command = [program, 'run', '--config', 'Caddyfile', '--adapter', 'caddyfile'] as const;
  const base = `http://${PROXY}`;
  // It saves its configuration and looks for certificates there.
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  await startServer(t, [...command], folder, base, () => true, env);
  return { base, authority: join(folder, 'pki/authorities/local/root.crt') };
}
