/** Liveness and readiness of the service. */
import type { Catalog } from '../../datasets/catalog.ts';
import { limitTime } from '../../store/database/time-limit.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { Waits } from '../runs/waits.ts';

export type HealthService = ReturnType<typeof createHealthService>;

/** A probe waits no longer for a database that the service does not need to be ready. */
const CHECK_TIMEOUT_MS = 1_000;

/**
 * @param options.needsDatabase whether the service is not ready without the database; false for a database that all
 *   replicas share, because without it they still predict, and a load balancer must not remove all of them
 * @param options.needsDataset whether a data set is built in; if so, it must be loaded
 * @param options.log receives the reason when the database becomes unusable
 */
export function createHealthService(
  store: Pick<Store, 'assertUsable'>,
  catalog: Pick<Catalog, 'list'>,
  options: {
    needsDatabase: boolean;
    needsDataset: boolean;
    waits: Pick<Waits<'storage'>, 'count'>;
    log: Record<'warn' | 'error', (details: object, message: string) => void>;
  },
) {
  const { needsDatabase, needsDataset, waits, log } = options;
  let wasUsable = true;
  let checking: Promise<void> | undefined;
  const stop = new AbortController();
  const accepting = () => !stop.signal.aborted;

  async function isUsable(): Promise<boolean> {
    // A check that hangs is not repeated by the next probe.
    checking ??= store.assertUsable().finally(() => {
      checking = undefined;
    });
    try {
      await (needsDatabase ? checking : limitTime(checking, CHECK_TIMEOUT_MS));
      wasUsable = true;
    } catch (error) {
      if (wasUsable) reportUnusable(error);
      wasUsable = false;
    }
    return wasUsable;
  }

  function reportUnusable(err: unknown): void {
    if (needsDatabase) log.error({ err }, 'the service is not ready: the database is unusable');
    else log.warn({ err }, 'the database is unavailable: only models in memory are served');
  }

  return {
    /** False once the service is shutting down. */
    accepting,
    /** Aborts at shutdown and ends endless responses. */
    stopping: stop.signal,
    stopAccepting: () => stop.abort(),
    async check() {
      const checks = {
        database: await isUsable(),
        datasets: catalog.list().length > 0 || !needsDataset,
        accepting: accepting(),
        // False while a job of this process is waiting for storage. Predictions go on, so the service stays ready.
        storage: waits.count() === 0,
      };
      const ready = (checks.database || !needsDatabase) && checks.datasets && checks.accepting;
      return { ready, checks };
    },
  };
}
