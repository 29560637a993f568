/** Processes that share a PostgreSQL database, as sessions of this process. */
import { setTimeout as wait } from 'node:timers/promises';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { createPostgresNotices, type PostgresNotices } from '../../../src/store/postgres/replicas/notices.ts';
import {
  joinReplicas,
  type ReplicaOffer,
  type Replicas,
} from '../../../src/store/postgres/replicas/processes.ts';
import { openSession, type Session } from '../../../src/store/postgres/replicas/session.ts';
import { addCleanup, type Scope } from '../../support/start-service.ts';

export const OFFER: ReplicaOffer = {
  role: 'all',
  slots: 2,
  jobBytes: 2 ** 33,
  environment: { kernel: 'a kernel', fused: true },
};

export interface Member {
  readonly session: Session;
  readonly replicas: Replicas;
  readonly notices: PostgresNotices;
  /** Lines of the log. */
  readonly messages: string[];
}

/** @param poolUrl for all statements except the session's */
export async function join(
  scope: Scope,
  url: string,
  { poolUrl = url, ...offer }: Partial<ReplicaOffer> & { poolUrl?: string } = {},
): Promise<Member> {
  const messages: string[] = [];
  const log = {
    info: (_fields: object, message: string) => void messages.push(message),
    warn: (message: string) => void messages.push(message),
  };
  const db = await connectPostgres({ url: poolUrl });
  addCleanup(scope, () => db.destroy());
  const session = await openSession(url, log);
  addCleanup(scope, session.close);
  const replicas = await joinReplicas(session, { ...OFFER, ...offer });
  addCleanup(scope, replicas.close);
  const notices = createPostgresNotices({ rows: { db, onCommitted() {} }, session, replicas, log });
  addCleanup(scope, async () => notices.close());
  return { session, replicas, notices, messages };
}

/** Resolves once the condition holds; the time limit of the test ends a condition that never does. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(10);
}
