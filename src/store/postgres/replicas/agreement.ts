/** Agreement of all live processes: each has invalidated what it had read of the models. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Agreement } from '../../database/notices.ts';
import { DEAD_MS, LIVE, type Replicas, STEADY_MS } from './processes.ts';
import type { Session } from './session.ts';

/** A process that has not renewed its row since the change trusts nothing after this time. */
const DEADLINE_MS = DEAD_MS + 200;
/** Until this process is steady, it also waits for processes that may not have been able to renew their rows. */
const LAST_DEADLINE_MS = DEADLINE_MS + STEADY_MS;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

const WAITING = `
  select number::float8 as number, (
    select count(*)::integer from atelier.replicas
    where id <> $1 and heard < coalesce($2, number) and (${LIVE} or not $3)
  ) as waiting
  from atelier.changes where kind = 'models'`;

interface Waiting {
  /** Number of the last change. */
  readonly number: number;
  /** Number of live processes that have not received it. */
  readonly waiting: number;
}

export function createAgreement(
  session: Session,
  { id, isTrusted, isCutOff, isSteady }: Replicas,
): Agreement {
  return {
    isTrusted,
    isCutOff,
    async reach() {
      const startedAt = performance.now();
      // Later changes need not be waited for.
      let number: number | null = null;
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
        try {
          const [row]: Waiting[] = await session.query<Waiting>(WAITING, [id, number, isSteady()]);
          if (row!.waiting === 0) return;
          number ??= row!.number;
        } catch {
          // While the database is away, no process can read the change or renew its row.
        }
        const waited = performance.now() - startedAt;
        if (waited > (isSteady() ? DEADLINE_MS : LAST_DEADLINE_MS)) return;
        await wait(pause);
      }
    },
  };
}
