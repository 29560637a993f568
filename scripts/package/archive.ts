/** The archive of the package: its files in a temporary folder, packed by npm. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeContents } from './contents.ts';

/** Writes the archive into an existing folder. The same sources give the same bytes. @returns its path */
export async function writePackage(folder: string): Promise<string> {
  const temporary = await mkdtemp(join(tmpdir(), 'atelier-package-'));
  try {
    const version = await writeContents(temporary);
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
    await promisify(execFile)('npm', args, { cwd: temporary });
    return join(folder, `atelier-${version}.tgz`);
  } finally {
    await rm(temporary, { recursive: true });
  }
}
