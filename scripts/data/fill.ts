/** Completes the data folder, without touching valid files. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { FILES, readOriginal } from './files.ts';
import { type FoundFile, holdsOriginal } from './inspect.ts';
import type { SourceContext } from './source-context.ts';
import { PACKAGE, type Source } from './sources.ts';
import { writeWhole } from './write-whole.ts';

type Say = (line: string) => void;

/** @throws Error with a message for the terminal */
export async function fill(
  directory: string,
  found: readonly FoundFile[],
  sources: readonly Source[],
  say: Say,
  signal: AbortSignal,
): Promise<void> {
  await refuseToMix(found);
  let needed = found.filter(({ defect }) => defect !== undefined);
  for (const { path, defect } of needed) say(`${path}: ${defect}.`);
  const failures: string[] = [];
  for (const source of sources) {
    await using temporary = temporaryFolders();
    const context: SourceContext = { makeTemporary: temporary.make, say, signal };
    try {
      const read = await source.open(context);
      for (const { file, path } of needed) {
        const data = await readOriginal(file, await read(file));
        await writeWhole(path, npyBytes(data, file.shape), signal).catch((cause) => {
          throw new UnwritableError(`${path} cannot be written: ${cause.message}`, { cause });
        });
        say(`${path}: written, uint8 ${file.shape.join(' × ')}, from ${source.name}.`);
        needed = needed.filter((other) => other.file !== file);
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UnwritableError) throw error;
      failures.push(`${source.name}: ${(error as Error).message}.`);
    }
  }
  throw new Error(advice(directory, needed, failures));
}

/** Thrown if the folder cannot be written, where other sources do not help. */
class UnwritableError extends Error {}

/** A mix of another data set and Fashion-MNIST would train without an error. */
async function refuseToMix(found: readonly FoundFile[]): Promise<void> {
  const whole = found.filter(({ defect }) => defect === undefined);
  const own = [];
  for (const file of whole) if (!(await holdsOriginal(file))) own.push(file.path);
  if (own.length === 0) return;
  const missing = found
    .filter(({ defect }) => defect !== undefined)
    .map(({ path, defect }) => `${path} (${defect})`);
  throw new Error(
    `${own.join(', ')} ${own.length === 1 ? 'is' : 'are'} not Fashion-MNIST's own, so nothing was written next to it.\n` +
      `To use your own data set, put these in order: ${missing.join(', ')}.\n` +
      `To have Fashion-MNIST, move ${own.join(', ')} away and run "npx atelier data" again.`,
  );
}

function advice(directory: string, needed: readonly FoundFile[], failures: readonly string[]): string {
  return [
    `Fashion-MNIST could not be had; still to come: ${needed.map(({ file }) => file.npy).join(', ')}. Tried:`,
    ...failures.map((failure) => `  - ${failure}`),
    'Do one of these, then run "npx atelier data" again:',
    `  - install Debian's package: apt-get install ${PACKAGE}`,
    `  - copy the .npy files to ${directory}: ${FILES.map(({ npy }) => npy).join(', ')}`,
    `  - copy the originals to ${directory}: ${FILES.map(({ idx }) => `${idx}.gz`).join(', ')}`,
  ].join('\n');
}

function temporaryFolders() {
  const made: string[] = [];
  return {
    async make() {
      made.push(await mkdtemp(join(tmpdir(), 'fashion-mnist-')));
      return made.at(-1)!;
    },
    async [Symbol.asyncDispose]() {
      for (const folder of made) await rm(folder, { recursive: true, force: true });
    },
  };
}
