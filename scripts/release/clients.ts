/** The packages of the clients: a wheel for Python, and an archive that npm installs. */
import { output } from './run.ts';

/** Debian's, whose packages build a wheel without a network. */
const PYTHON = '/usr/bin/python3';

/**
 * Writes `atelier_client-<version>-py3-none-any.whl`, and temporary files beside the sources.
 * @param source a copy of clients/python
 * @param time of the files in the wheel, in seconds since 1970
 */
export function buildWheel(source: string, folder: string, time: string): void {
  const offline = ['--no-index', '--no-deps', '--no-build-isolation', '--no-cache-dir', '--quiet'];
  const args = ['-m', 'pip', 'wheel', ...offline, '--wheel-dir', folder, source];
  output(source, 'env', `SOURCE_DATE_EPOCH=${time}`, PYTHON, ...args);
}

/**
 * Writes `atelier-client-<version>.tgz`, and dependencies and compiled files beside the sources.
 * @param source a copy of clients/node, in a folder that has the contract in openapi, two levels up
 */
export function packNodeClient(source: string, folder: string): void {
  output(source, 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  output(source, 'npm', 'pack', '--silent', '--pack-destination', folder);
}
