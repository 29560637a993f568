/** Values that one start computes and later ones take from a JSON file in STATE_DIR, which can be deleted at any time. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyBaseLogger } from 'fastify';
import { z } from 'zod';
import { prepareDirectory } from './blobs/directory.ts';

interface Remembered<Value> {
  readonly stateDir: string;
  readonly file: string;
  /** Everything that the value depends on, as JSON has it. */
  readonly basis: unknown;
  readonly schema: z.ZodType<Value>;
  readonly compute: () => Promise<Value>;
  /** Whether the next start should take this value too. Without it, each one. */
  readonly keeps?: (value: Value) => boolean;
  readonly log: Pick<FastifyBaseLogger, 'warn'>;
}

/** Computes the value again if the file is missing or damaged, or if the basis has changed. */
export async function remember<Value>({
  stateDir,
  file,
  basis,
  schema,
  compute,
  keeps = () => true,
  log,
}: Remembered<Value>): Promise<Value> {
  const path = join(stateDir, file);
  const stored = await readStored(path, z.object({ basis: z.unknown(), value: schema }));
  if (stored && isDeepStrictEqual(stored.basis, basis)) return stored.value;
  const value = await compute();
  if (!keeps(value)) return value;
  try {
    await prepareDirectory(stateDir);
    await writeFile(`${path}.tmp`, JSON.stringify({ basis, value }));
    await rename(`${path}.tmp`, path);
  } catch (err) {
    log.warn({ err }, `${file} could not be stored, so the next start computes it again`);
  }
  return value;
}

/** Returns undefined if the file is missing or damaged. */
async function readStored<Stored>(path: string, schema: z.ZodType<Stored>): Promise<Stored | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
