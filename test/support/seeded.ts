/** Random numbers for tests: a failing test prints the seed, and TEST_SEED repeats it. */
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import { PURPOSE, randomUniform } from '../../src/numerics/random.ts';

const given = process.env['TEST_SEED'];
const seed = given === undefined ? randomInt(2 ** 31) : Number(given);

/** `passed` is missing in the types of Node 24. */
type Context = Pick<TestContext, 'after' | 'diagnostic'> & { readonly passed?: boolean };

/**
 * @param stream number of an independent sequence, one for each task that runs concurrently
 * @returns a function that draws the next number, uniform in [0, 1)
 */
export function seeded(t: Context, stream = 0): () => number {
  t.after(() => {
    if (!t.passed) t.diagnostic(`TEST_SEED=${seed} repeats the random choices.`);
  });
  let drawn = 0;
  return () => randomUniform(seed, PURPOSE.shuffle, stream, drawn++);
}
