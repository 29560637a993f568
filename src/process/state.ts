/** The persistent state: of this process alone, or of all processes that share a database. */
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config/read.ts';
import { type Boss, migrateBoss, startBoss } from '../queue/pg-boss.ts';
import { type ClaimableTickets, createTickets } from '../queue/tickets.ts';
import type { Capacity } from '../services/queueing/forecast.ts';
import { sharedCapacity } from '../services/queueing/placement.ts';
import type { Store } from '../store/persistent-state.ts';
import type { Replicas } from '../store/postgres/replicas/processes.ts';
import { openStore } from '../store/sqlite/open.ts';
import { detectEnvironment } from '../workers/kernel/compile.ts';

/** The connection of this process to the others that share its database. */
export interface Cluster {
  readonly replicas: Replicas;
  /** Number of jobs that run at once in this process. */
  readonly slots: number;
  readonly boss: Boss;
  readonly tickets: ClaimableTickets;
}

export interface State {
  readonly store: Store;
  /** Null in a process that shares its database with no other. */
  readonly cluster: Cluster | null;
  /** Slots and memory for jobs, on all replicas together. */
  readonly capacity: () => Capacity;
  close(): Promise<void>;
}

/**
 * @param jobBytes memory for training jobs of this process
 * @throws AtelierError `state-locked`, `state-unusable`, `storage-unavailable`
 */
export async function openState(config: Config, jobBytes: number, log: FastifyBaseLogger): Promise<State> {
  const { database, role, stateDir, trainingWorkers, maxDatasetBytes } = config;
  if (database === null) {
    const store = await openStore(stateDir, log);
    return {
      store,
      cluster: null,
      capacity: () => ({ slots: trainingWorkers, jobBytes }),
      close: store.close,
    };
  }
  const slots = role === 'api' ? 0 : trainingWorkers;
  const { kernel, fused } = detectEnvironment();
  // Loaded only for a shared database.
  const { openPostgresStore } = await import('../store/postgres/open.ts');
  let boss: Boss | undefined;
  let tickets: ClaimableTickets | undefined;
  try {
    const store = await openPostgresStore({
      ...database,
      directory: stateDir,
      maxDatasetBytes,
      log,
      offer: { role, slots, jobBytes, environment: { kernel: kernel.digest, fused } },
      async openTickets(db, send) {
        await migrateBoss(database.directUrl);
        boss = await startBoss({
          db,
          send: slots > 0 ? send : undefined,
          onError: (err) => log.warn({ err }, 'background work of the queue failed and is repeated'),
        });
        tickets = createTickets(boss);
        return tickets;
      },
    });
    // With an offer the store joins the replicas, and it has opened the tickets.
    const cluster = { replicas: store.replicas!, slots, boss: boss!, tickets: tickets! };
    return {
      store,
      cluster,
      capacity: () => sharedCapacity(cluster.replicas),
      async close() {
        await cluster.boss.close();
        await store.close();
      },
    };
  } catch (error) {
    await boss?.close();
    throw error;
  }
}
