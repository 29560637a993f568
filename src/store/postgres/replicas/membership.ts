/** Membership of this process among those that share the database. */

import type { StoreLog } from '../../database/log.ts';
import type { Agreement, Notices } from '../../database/notices.ts';
import type { Rows } from '../../database/rows.ts';
import { toStorageError } from '../errors.ts';
import { createAgreement } from './agreement.ts';
import { createPostgresNotices } from './notices.ts';
import { joinReplicas, type ReplicaOffer, type Replicas } from './processes.ts';
import { openSession } from './session.ts';

export interface Membership {
  readonly replicas: Replicas;
  readonly notices: Notices;
  readonly agreement: Agreement;
  /** Deletes the row of this process, so that the others notice at once, and closes the session. */
  leave(): Promise<void>;
}

interface MembershipOptions {
  /** Address without a connection pooler. */
  readonly directUrl: string;
  readonly rows: Pick<Rows, 'db' | 'onCommitted'>;
  readonly offer: ReplicaOffer;
  readonly log: StoreLog;
}

/** @throws AtelierError `storage-unavailable`, `state-unusable` */
export async function joinDatabase(options: MembershipOptions): Promise<Membership> {
  try {
    return await join(options);
  } catch (error) {
    throw toStorageError(error);
  }
}

async function join({ directUrl, rows, offer, log }: MembershipOptions): Promise<Membership> {
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
