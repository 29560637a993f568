/** Numeric tasks in two threads: a long one does not hold up short ones, and memory is reserved for each. */

import type { NumericPool } from '../../workers/pools.ts';
import type { MemoryLedger } from '../memory/ledger.ts';
import { DEMANDS } from './task-demands.ts';

/** A task of a higher cost is long: about a second. */
const SHORT_COST = 1e9;

/** Runs each task in the pool for its cost; the memory is reserved when a thread of the pool is free. */
export function createNumericWork(
  pools: { readonly short: NumericPool; readonly long: NumericPool },
  memory: MemoryLedger,
): NumericPool {
  return {
    run(name, task, signal, transfer) {
      const { cost, bytes, ...purpose } = DEMANDS[name](task);
      const pool = cost > SHORT_COST ? pools.long : pools.short;
      return pool.run(name, task, signal, transfer, () => memory.reserve(bytes, purpose));
    },
    async close() {
      await Promise.all([pools.short.close(), pools.long.close()]);
    },
  };
}
