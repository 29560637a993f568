/** The files of a release: the packages of the service and its clients, the service's components, and their SHA-256. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildWheel, packNodeClient } from './clients.ts';
import { output } from './run.ts';

/**
 * @param root a checkout of the release
 * @param folder receives the files, which are the same for the same commit and tools
 */
export function writeArtifacts(root: string, version: string, folder: string): void {
  const commitTime = (format: string) => output(root, 'git', 'show', '--no-patch', `--format=${format}`);
  mkdirSync(folder, { recursive: true });
  output(root, 'npm', 'run', 'pack', '--', folder);
  // Both tools put a licence into the package if it lies beside the sources.
  for (const client of ['python', 'node']) {
    copyFileSync(join(root, 'LICENSE'), join(root, 'clients', client, 'LICENSE'));
  }
  buildWheel(join(root, 'clients/python'), folder, commitTime('%ct'));
  packNodeClient(join(root, 'clients/node'), folder);
  const sbom = JSON.parse(output(root, 'npm', 'run', '--silent', 'sbom', '--', '--package-lock-only'));
  // A random number, and the time of this call.
  delete sbom.serialNumber;
  sbom.metadata.timestamp = commitTime('%cI');
  const components = `atelier-${version}.cdx.json`;
  writeFileSync(join(folder, components), `${JSON.stringify(sbom, null, 2)}\n`);
  const names = [
    `atelier-${version}.tgz`,
    `atelier-client-${version}.tgz`,
    `atelier_client-${version}-py3-none-any.whl`,
    components,
  ];
  const sums = names.map((name) => {
    const hash = createHash('sha256').update(readFileSync(join(folder, name)));
    return `${hash.digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
}
