/** Calls of rate-limited keys that this replica has leased: the store of @fastify/rate-limit with a database. */
import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import { LRUCache } from 'lru-cache';
import { limitTime } from '../../../store/database/time-limit.ts';
import type { RateLeases } from '../../../store/postgres/replicas/rate-leases.ts';

export interface LeaseSource {
  readonly leases: Pick<RateLeases, 'lease'>;
  /** Number of live replicas. */
  replicas(): number;
}

type Callback = Parameters<FastifyRateLimitStore['incr']>[1];

/** Times are milliseconds of `performance.now()`. */
interface Calls {
  /** Calls that may be served without another lease. */
  left: number;
  /** Calls that all replicas have leased; the limit if no further lease is possible in this window. */
  used: number;
  /** Calls served here in this window. */
  served: number;
  endsAt: number;
  readonly waiting: Callback[];
}

/** Keys remembered at a time. A forgotten key leases again, so counts stay exact. */
const MAX_KEYS = 10_000;
/** A request does not wait longer than this for the database. */
const LEASE_TIMEOUT_MS = 1_000;
/** Time after a failed lease in which none is requested from the database. */
const PAUSE_MS = 5_000;

/**
 * Requests of one key share each lease. While the database is away, a key may use the limit divided by the number of
 * replicas until its window ends.
 * @param onUnavailable called with the reason if a lease fails, at most every five seconds
 */
export function createLeasedCalls(
  { leases, replicas }: LeaseSource,
  onUnavailable: (error: unknown) => void,
): FastifyRateLimitStoreCtor {
  const keys = new LRUCache<string, Calls>({ max: MAX_KEYS });
  let pausedUntil = 0;
  const countReplicas = () => Math.max(1, replicas());

  /** Responds at once if the calls of the window allow a decision. */
  function decide(calls: Calls, max: number, callback: Callback): boolean {
    const ttl = Math.max(0, calls.endsAt - performance.now());
    if (ttl === 0) calls.left = calls.used = calls.served = 0;
    if (calls.left > 0) {
      calls.left -= 1;
      calls.served += 1;
      callback(null, { current: Math.max(1, Math.min(calls.used, max) - calls.left), ttl });
      return true;
    }
    if (calls.used < max) return false;
    callback(null, { current: max + 1, ttl });
    return true;
  }

  async function leaseCalls(key: string, calls: Calls, windowMs: number, max: number): Promise<void> {
    const sentAt = performance.now();
    if (sentAt >= pausedUntil) {
      try {
        // Twice as many each time, so that a replica with few requests does not hold calls that others need.
        const wanted = Math.max(calls.waiting.length, 2 * calls.served);
        const lease = await limitTime(leases.lease(key, max, countReplicas(), wanted), LEASE_TIMEOUT_MS);
        calls.left += lease.calls;
        calls.used = lease.used;
        // The database read its clock after this one, so the window never ends later here than there.
        calls.endsAt = sentAt + lease.remainingMs;
        return;
      } catch (error) {
        if (performance.now() >= pausedUntil) onUnavailable(error);
        pausedUntil = performance.now() + PAUSE_MS;
      }
    }
    if (calls.endsAt <= performance.now()) {
      calls.endsAt = performance.now() + windowMs;
      calls.served = 0;
    }
    calls.left = Math.max(0, Math.max(1, Math.floor(max / countReplicas())) - calls.served);
    calls.used = max;
  }

  async function serveWaiting(key: string, calls: Calls, windowMs: number, max: number): Promise<void> {
    while (calls.waiting.length > 0) {
      await leaseCalls(key, calls, windowMs, max);
      while (calls.waiting.length > 0 && decide(calls, max, calls.waiting[0]!)) calls.waiting.shift();
    }
  }

  return class LeasedCalls implements FastifyRateLimitStore {
    incr(key: string, callback: Callback, windowMs: number, max: number): void {
      let calls = keys.get(key);
      if (calls === undefined) {
        calls = { left: 0, used: 0, served: 0, endsAt: 0, waiting: [] };
        keys.set(key, calls);
      }
      if (decide(calls, max, callback)) return;
      calls.waiting.push(callback);
      if (calls.waiting.length === 1) void serveWaiting(key, calls, windowMs, max);
    }

    child(): this {
      return this;
    }
  };
}
