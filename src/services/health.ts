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

export function createHealthService(store: Store, catalog: Catalog): HealthService {
  const stop = new AbortController();
  const accepting = () => !stop.signal.aborted;
  return {
    accepting,
    stopping: stop.signal,
    stopAccepting: () => stop.abort(),
    async check() {
      const database = await store.jobs.isEmpty().then(
        () => true,
        () => false,
      );
      return { database, datasets: catalog.list().length > 0, accepting: accepting() };
    },
  };
}
