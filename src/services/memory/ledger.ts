/** Memory ledger: admits work by its estimated memory, so that the kernel does not end the process. */
import { totalmem } from 'node:os';
import { createWorkTimes } from '../../concurrency/work-times.ts';
import { AtelierError, type ErrorDetail } from '../../errors.ts';

export const MEBIBYTE = 2 ** 20;
/** Measured in a container of 512 MiB: the idle service, without pages of files. */
export const IDLE_BYTES = 140 * MEBIBYTE;
/** Fraction of the limit for garbage, because V8 collects the less often, the more memory there is. */
export const GARBAGE_FRACTION = 1 / 8;
/** Least budget, for a container that is smaller than the service itself. */
const MIN_BUDGET_BYTES = 96 * MEBIBYTE;
/** Fraction of the budget that jobs leave to requests. */
export const REQUEST_FRACTION = 0.25;

export interface Reservation extends Disposable {
  readonly bytes: number;
  /** Idempotent. */
  release(): void;
}

/** Memory that gives way to reservations. */
export interface EvictableCache {
  bytes(): number;
  /** Evicts entries that are not in use, until `bytes` are free or none is left. */
  evict(bytes: number): void;
}

/** Purpose of a reservation, for error messages. */
export interface Purpose {
  /** Subject of the error messages, such as "Checking a 784-40-10 network". */
  readonly what: string;
  /** Sentence with the remedy if the bytes can never be free. */
  readonly advice?: string;
  readonly details?: readonly ErrorDetail[];
}

export type MemoryLedger = ReturnType<typeof createMemoryLedger>;

/** The limit of the container, or the memory of the machine. */
export function memoryLimit(): number {
  // Without a container's limit Node returns 0 or 2^64.
  return Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
}

/** @param options.base bytes that nothing reserves: the service itself */
export function createMemoryLedger(options: { readonly limit?: number; readonly base?: number } = {}) {
  const { limit = memoryLimit() } = options;
  const { base = IDLE_BYTES + limit * GARBAGE_FRACTION } = options;
  const budget = Math.max(limit - base, MIN_BUDGET_BYTES);
  const requestMinimum = budget * REQUEST_FRACTION;
  const jobBudget = budget - requestMinimum;
  const reserved = { requests: 0, jobs: 0 };
  const caches: EvictableCache[] = [];
  const listeners: (() => void)[] = [];
  const requestTimes = createWorkTimes();
  let jobWaits = false;

  const used = () => caches.reduce((sum, cache) => sum + cache.bytes(), reserved.requests + reserved.jobs);

  /** Evicts cached entries if necessary. */
  function fits(bytes: number): boolean {
    for (const cache of caches) {
      const missing = used() + bytes - budget;
      if (missing > 0) cache.evict(missing);
    }
    return used() + bytes <= budget;
  }

  function add(bytes: number, owner: keyof typeof reserved): Reservation {
    reserved[owner] += bytes;
    const startedAt = owner === 'requests' ? requestTimes.start() : undefined;
    let held = true;
    function release(): void {
      if (!held) return;
      held = false;
      if (startedAt !== undefined) requestTimes.end(startedAt);
      reserved[owner] -= bytes;
      if (jobWaits) for (const listener of listeners) listener();
    }
    return { bytes, release, [Symbol.dispose]: release };
  }

  return {
    /** Bytes that requests and jobs can reserve together. */
    budget,
    /** Bytes that jobs can reserve together. */
    jobBudget,
    /** Bytes reserved and cached. */
    used,
    /**
     * Reserves memory for a request. While a job is waiting for memory, requests together get only what jobs leave to them.
     * @throws AtelierError `overloaded` if the bytes are not free now; `impossible-request` if they never can be
     */
    reserve(bytes: number, purpose: Purpose) {
      if (bytes > budget) throw neverFits(bytes, budget, purpose);
      const isAllowed = !jobWaits || reserved.requests + bytes <= requestMinimum;
      if (isAllowed && fits(bytes)) return add(bytes, 'requests');
      throw new AtelierError(
        'overloaded',
        `${purpose.what} takes about ${inMebibytes(bytes)} of memory, but other work occupies it. Try again shortly.`,
        // Unknown if only jobs hold memory.
        reserved.requests > 0 ? { retryAfterSeconds: requestTimes.secondsUntilNext() } : {},
      );
    },
    /** @throws AtelierError `impossible-request` if a job can never reserve the bytes */
    assertJobFits(bytes: number, purpose: Purpose) {
      if (bytes > jobBudget) throw neverFits(bytes, jobBudget, purpose);
    },
    /**
     * Reserves memory for the next job. Returns null if the job must wait; `onFreed` then reports when to try again.
     * @param bytes at most `jobBudget`
     */
    reserveForJob(bytes: number) {
      jobWaits = !(reserved.jobs + bytes <= jobBudget && fits(bytes));
      return jobWaits ? null : add(bytes, 'jobs');
    },
    /** Whether jobs can reserve the bytes besides those that they hold, once requests and caches have made room. */
    fitsJobs: (bytes: number) => reserved.jobs + bytes <= jobBudget,
    /** Call when the job that was waiting for memory is no longer waiting. */
    stopWaiting: () => {
      jobWaits = false;
    },
    onFreed: (listener: () => void) => void listeners.push(listener),
    addCache: (cache: EvictableCache) => void caches.push(cache),
  };
}

function neverFits(bytes: number, available: number, { what, advice, details = [] }: Purpose): AtelierError {
  const sizes = `about ${inMebibytes(bytes)} of memory; at most ${inMebibytes(available)} are available`;
  return new AtelierError('impossible-request', `${what} takes ${sizes}.${advice ? ` ${advice}` : ''}`, {
    details,
  });
}

export const inMebibytes = (bytes: number) => `${Math.ceil(bytes / MEBIBYTE)} MiB`;
