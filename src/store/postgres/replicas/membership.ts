/** Membership of this process among those that share the database. */

import type { StoreLog } from '../../database/log.ts';
import type { Rows } from '../../database/rows.ts';
import { toStorageError } from '../errors.ts';
import { createAgreement } from './agreement.ts';
import { createPostgresNotices } from './notices.ts';
import { joinReplicas, type ReplicaOffer } from './processes.ts';
import { openSession } from './session.ts';

export type Membership = Awaited<ReturnType<typeof join>>;

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

async function join({ directUrl, rows, offer, log }: MembershipOptions) {
  const session = await openSession(directUrl, log);
  try {
    const replicas = await joinReplicas(session, offer);
    const notices = createPostgresNotices({ rows, session, replicas, log });
    return {
      replicas,
      notices,
      agreement: createAgreement(session, replicas),
      /** Deletes the row of this process, so that the others notice at once, and closes the session. */
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
