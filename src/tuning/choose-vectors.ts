/** `WIDE_VECTORS`: chooses how wide the vectors of the kernel are, before the kernel is compiled. */
import { cpus } from 'node:os';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config/read.ts';
import { remember } from '../store/remembered.ts';
import { kernelDigest } from '../workers/kernel/bytes.ts';
import { type Comparison, compareVectors, comparisonSchema } from './compare-vectors.ts';
import { WIDE_FLAGS, widenVectors } from './wide-vectors.ts';

/** Everything that the outcome depends on. */
const detectEnvironment = () => ({
  kernel: kernelDigest(),
  node: process.version,
  v8: process.versions.v8,
  architecture: process.arch,
  processor: cpus()[0]?.model ?? 'unknown',
  flags: [...WIDE_FLAGS],
});

export const COMPARISON_FILE = 'wide-vectors.json';

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
  const { outcome, detail } = await remember({
    stateDir,
    file: COMPARISON_FILE,
    basis: detectEnvironment(),
    schema: comparisonSchema,
    compute: compare,
    // The cause may be temporary, such as too little memory.
    keeps: (comparison) => comparison.outcome !== 'not-compared',
    log,
  });
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
