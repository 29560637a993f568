/** Processes that share a PostgreSQL database, as sessions of this process. */
import { setTimeout as wait } from 'node:timers/promises';
import { migratePostgres } from '../../../src/store/postgres/migrate.ts';
import { joinReplicas, type ReplicaOffer, type Replicas } from '../../../src/store/postgres/replicas.ts';
import { openSession, type Session } from '../../../src/store/postgres/session.ts';
import { temporaryDatabase } from '../../postgres.ts';
import { addCleanup, type Scope } from '../../start-service.ts';

export const OFFER: ReplicaOffer = {
  role: 'all',
  slots: 2,
  jobBytes: 2 ** 33,
  environment: { kernel: 'a kernel', fused: true },
};

export async function sharedDatabase(scope: Scope): Promise<string> {
  const url = await temporaryDatabase(scope);
  await migratePostgres(url);
  return url;
}

export interface Member {
  readonly session: Session;
  readonly replicas: Replicas;
  /** Messages of the session's log. */
  readonly messages: string[];
}

export async function join(scope: Scope, url: string, offer: Partial<ReplicaOffer> = {}): Promise<Member> {
  const messages: string[] = [];
  const record = (_fields: object, message: string) => void messages.push(message);
  const session = await openSession(url, { info: record, warn: record });
  addCleanup(scope, session.close);
  const replicas = await joinReplicas(session, { ...OFFER, ...offer });
  addCleanup(scope, replicas.close);
  return { session, replicas, messages };
}

/** Resolves once the condition holds; the time limit of the test ends a condition that never does. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(10);
}
