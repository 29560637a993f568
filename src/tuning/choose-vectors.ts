/** `WIDE_VECTORS`: chooses how wide the vectors of the kernel are, before the kernel is compiled. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyBaseLogger } from 'fastify';
import { z } from 'zod';
import type { Config } from '../config/read.ts';
import { prepareDirectory } from '../store/blobs/directory.ts';
import { kernelDigest } from '../workers/kernel/bytes.ts';
import { type Comparison, compareVectors, comparisonSchema } from './compare-vectors.ts';
import { WIDE_FLAGS, widenVectors } from './wide-vectors.ts';

/** Everything that the outcome depends on. */
const environmentSchema = z.object({
  kernel: z.string(),
  node: z.string(),
  v8: z.string(),
  architecture: z.string(),
  processor: z.string(),
  flags: z.array(z.string()),
});
const storedSchema = z.object({ environment: environmentSchema, comparison: comparisonSchema });

const detectEnvironment = (): z.infer<typeof environmentSchema> => ({
  kernel: kernelDigest(),
  node: process.version,
  v8: process.versions.v8,
  architecture: process.arch,
  processor: cpus()[0]?.model ?? 'unknown',
  flags: [...WIDE_FLAGS],
});

export const comparisonFile = (stateDir: string) => join(stateDir, 'wide-vectors.json');

/**
 * Lets the kernel of this process compute with wide vectors if the configuration wants that, or, with `auto`, if they
 * give the same bits and are faster. They are compared once per state directory and environment.
 * @param compare for tests
 */
export async function chooseVectors(
  { wideVectors, stateDir }: Pick<Config, 'wideVectors' | 'stateDir'>,
  log: FastifyBaseLogger,
  compare: () => Promise<Comparison> = compareVectors,
): Promise<void> {
  if (wideVectors === 'off') return;
  if (wideVectors === 'on') {
    widenVectors();
    log.info('WIDE_VECTORS=on: the kernel computes with vectors of 256 bits');
    return;
  }
  if (process.arch !== 'x64') {
    log.info(
      'WIDE_VECTORS=auto: the kernel computes with vectors of 128 bits, because V8 joins them on x64 only',
    );
    return;
  }
  const { outcome, detail } = (await readStored(stateDir)) ?? (await compareAndStore(stateDir, log, compare));
  if (outcome === 'faster') {
    widenVectors();
    log.info(`WIDE_VECTORS=auto: the kernel computes with vectors of 256 bits: same results, ${detail}`);
    return;
  }
  const narrow = 'WIDE_VECTORS=auto: the kernel computes with vectors of 128 bits, because vectors of 256';
  if (outcome === 'not-faster') log.info(`${narrow} are not faster: ${detail}`);
  else log.warn(`${narrow} ${REASONS[outcome]}: ${detail}`);
}

const REASONS = {
  different: 'give other results. Please report the processor model',
  crashed: 'crash. Please report the processor model',
  'not-compared': 'could not be compared. The next start tries again',
} as const;

/** Returns undefined if nothing is stored for this environment, or if the file is damaged. */
async function readStored(stateDir: string): Promise<Comparison | undefined> {
  try {
    const text = await readFile(comparisonFile(stateDir), 'utf8');
    const { environment, comparison } = storedSchema.parse(JSON.parse(text));
    return isDeepStrictEqual(environment, detectEnvironment()) ? comparison : undefined;
  } catch {
    return undefined;
  }
}

async function compareAndStore(
  stateDir: string,
  log: FastifyBaseLogger,
  compare: () => Promise<Comparison>,
): Promise<Comparison> {
  const comparison = await compare();
  // The cause may be temporary, such as too little memory.
  if (comparison.outcome === 'not-compared') return comparison;
  const file = comparisonFile(stateDir);
  try {
    await prepareDirectory(stateDir);
    await writeFile(`${file}.tmp`, JSON.stringify({ environment: detectEnvironment(), comparison }));
    await rename(`${file}.tmp`, file);
  } catch (err) {
    log.warn(
      { err },
      'the result of comparing vectors could not be stored, so the next start compares again',
    );
  }
  return comparison;
}
