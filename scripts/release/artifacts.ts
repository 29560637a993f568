/** The files of a release: the package, its components as CycloneDX, and their SHA-256. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './run.ts';

/**
 * @param root a checkout of the release
 * @param folder receives the files, which are the same for the same commit
 */
export function writeArtifacts(root: string, version: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  output(root, 'npm', 'run', 'pack', '--', folder);
  const sbom = JSON.parse(output(root, 'npm', 'run', '--silent', 'sbom', '--', '--package-lock-only'));
  // A random number, and the time of this call.
  delete sbom.serialNumber;
  sbom.metadata.timestamp = output(root, 'git', 'show', '--no-patch', '--format=%cI');
  const names = [`atelier-${version}.tgz`, `atelier-${version}.cdx.json`] as const;
  writeFileSync(join(folder, names[1]), `${JSON.stringify(sbom, null, 2)}\n`);
  const sums = names.map((name) => {
    const hash = createHash('sha256').update(readFileSync(join(folder, name)));
    return `${hash.digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
}
