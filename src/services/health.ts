/** Liveness and readiness of the service. */
import type { Catalog } from '../datasets/catalog.ts';
import type { Store } from '../store/store.ts';

export interface HealthService {
  /** False once the service is shutting down. */
  accepting(): boolean;
  /** Aborts at shutdown and ends endless responses. */
  readonly stopping: AbortSignal;
  stopAccepting(): void;
  check(): Promise<{ database: boolean; datasets: boolean; accepting: boolean }>;
}

/** @param onUnusable called with the reason when the database becomes unusable */
export function createHealthService(
  store: Pick<Store, 'assertUsable'>,
  catalog: Catalog,
  onUnusable: (error: unknown) => void = () => {},
): HealthService {
  let wasUsable = true;
  const stop = new AbortController();
  const accepting = () => !stop.signal.aborted;
  return {
    accepting,
    stopping: stop.signal,
    stopAccepting: () => stop.abort(),
    async check() {
      const database = await store.assertUsable().then(
        () => true,
        (error) => {
          if (wasUsable) onUnusable(error);
          return false;
        },
      );
      wasUsable = database;
      return { database, datasets: catalog.list().length > 0, accepting: accepting() };
    },
  };
}
