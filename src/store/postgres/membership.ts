/** Membership of this process among those that share the database. */
import type { Agreement, Notices } from '../notices.ts';
import type { Rows } from '../rows.ts';
import type { StoreLog } from '../store-log.ts';
import { createAgreement } from './agreement.ts';
import { createPostgresNotices } from './notices.ts';
import { joinReplicas, type ReplicaOffer, type Replicas } from './replicas.ts';
import { openSession } from './session.ts';

export interface Membership {
  readonly replicas: Replicas;
  readonly notices: Notices;
  readonly agreement: Agreement;
  /** Lets the others know at once, and closes the session. */
  leave(): Promise<void>;
}

/**
 * @param options.directUrl address without a connection pooler
 * @throws Error if the database cannot be reached
 */
export async function joinDatabase(options: {
  readonly directUrl: string;
  readonly rows: Pick<Rows, 'db' | 'onCommitted'>;
  readonly offer: ReplicaOffer;
  readonly log: StoreLog;
}): Promise<Membership> {
  const { directUrl, rows, offer, log } = options;
  const session = await openSession(directUrl, log);
  try {
    const replicas = await joinReplicas(session, offer);
    const notices = createPostgresNotices({ rows, session, replicas, log });
    return {
      replicas,
      notices,
      agreement: createAgreement(session, replicas),
      async leave() {
        notices.close();
        await replicas.close();
        await session.close();
      },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}
