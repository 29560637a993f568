/** The processes that share the database, each with a row that it renews twice a second. */
import { randomUUID } from 'node:crypto';
import type { Session } from './session.ts';

/** The resources of a process. */
export interface ReplicaOffer {
  readonly role: 'all' | 'api' | 'worker';
  /** Number of jobs that it runs at once. */
  readonly slots: number;
  /** Memory for its jobs. */
  readonly jobBytes: number;
  /** Digest of its kernel, and whether the kernel rounds a multiply-add once. */
  readonly environment: { readonly kernel: string; readonly fused: boolean };
}

export interface Replica extends ReplicaOffer {
  readonly id: string;
}

/** Numbers of the last changes. */
export type Changes = Readonly<Record<'models' | 'datasets' | 'keys', number>>;

export type Replicas = Awaited<ReturnType<typeof joinReplicas>>;

export const BEAT_MS = 500;
/** A row that has not been renewed for this time belongs to a dead process. */
export const DEAD_MS = 2000;
/** Longer than the others need to connect again: an attempt of 2 s and the longest pause before the next one. */
export const STEADY_MS = 3000;
/** Added to the time of a death, since timers can fire a little early. */
const AFTER_DEATH_MS = 5;
/** Rows of dead processes are deleted after this time. */
const FORGET_MS = 60_000;

/** Condition for the row of a live process. */
export const LIVE = `beat_at > now() - interval '${DEAD_MS} ms'`;
const BEAT = `
  with beat as (
    insert into atelier.replicas (id, role, slots, job_bytes, kernel, fused, heard, beat_at)
    values ($1, $2, $3, $4, $5, $6,
      coalesce($7::bigint, (select number from atelier.changes where kind = 'models')), now())
    on conflict (id) do update set beat_at = now(), heard = excluded.heard
  )
  select
    (select json_object_agg(kind, number) from atelier.changes) as changes,
    (select coalesce(json_agg(json_build_object('id', id, 'role', role, 'slots', slots, 'jobBytes', job_bytes,
      'environment', json_build_object('kernel', kernel, 'fused', fused = 1)) order by id), '[]')
    from atelier.replicas where id <> $1 and ${LIVE}) as others,
    (select extract(epoch from min(beat_at) - now())::float8 * 1000 + ${DEAD_MS}
    from atelier.replicas where id <> $1 and ${LIVE}) as "firstDeathMs"`;
interface BeatReply {
  readonly changes: Changes;
  readonly others: Replica[];
  /** Time until the first of the others counts as dead if none renews its row; null without others. */
  readonly firstDeathMs: number | null;
}
/** Skips locked rows, because two processes that delete each other's row would wait for each other. */
const FORGET = `
  delete from atelier.replicas where id in (
    select id from atelier.replicas where beat_at < now() - interval '${FORGET_MS} ms' for update skip locked)`;

/** Writes the first beat and renews the row from then on. @throws Error if the database cannot be reached */
export async function joinReplicas(session: Session, offer: ReplicaOffer) {
  const self: Replica = { id: randomUUID(), ...offer };
  const listeners = new Set<(changes: Changes) => void>();
  let others: readonly Replica[] = [];
  let heard: number | null = null;
  /** Times of this process in ms, from a clock that is never set. */
  let lastSentAt = Number.NEGATIVE_INFINITY;
  let trustedUntil = Number.NEGATIVE_INFINITY;
  let steadySince = Number.POSITIVE_INFINITY;
  let lastAttemptAt = Number.NEGATIVE_INFINITY;
  let failingSince: number | null = null;
  let isCutOff = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let forgetAt = 0;
  /** Time until the next beat. */
  let pause = BEAT_MS;

  async function beat(): Promise<void> {
    const sentAt = performance.now();
    const { role, slots, jobBytes, environment } = self;
    const values = [self.id, role, slots, jobBytes, environment.kernel, Number(environment.fused), heard];
    const [reply] = await session.query<BeatReply>(BEAT, values);
    const isContinuous = performance.now() - lastSentAt < DEAD_MS;
    lastSentAt = sentAt;
    others = reply!.others;
    heard ??= reply!.changes.models;
    for (const listener of listeners) listener(reply!.changes);
    // Others may have changed something while the row was dead, and after this beat read it. The next beat reads it.
    if (isContinuous) trustedUntil = sentAt + DEAD_MS;
    else steadySince = sentAt;
    // The beat right after the death of another process finds it. A row that is renewed lives until after the next beat.
    const firstDeathMs = reply!.firstDeathMs ?? Number.POSITIVE_INFINITY;
    pause = isContinuous ? Math.min(BEAT_MS, firstDeathMs + AFTER_DEATH_MS) : 0;
  }

  function recordFailure(): void {
    const now = performance.now();
    // After a pause of the process itself its connections fail, although the database is there.
    if (now - lastAttemptAt > 2 * BEAT_MS) failingSince = null;
    failingSince ??= now;
    // The attempts may be closer together than beats.
    isCutOff = now - failingSince >= BEAT_MS / 2;
  }

  function recordSuccess(): void {
    failingSince = null;
    isCutOff = false;
  }

  async function attempt(): Promise<void> {
    pause = BEAT_MS;
    const startedAt = performance.now();
    try {
      await beat();
      recordSuccess();
      await forgetDead();
    } catch {
      recordFailure(); // the session logs the loss of its connection
    }
    lastAttemptAt = performance.now();
    if (!isClosed) schedule(Math.max(0, startedAt + pause - performance.now()));
  }

  async function forgetDead(): Promise<void> {
    if (performance.now() < forgetAt) return;
    forgetAt = performance.now() + FORGET_MS;
    await session.query(FORGET);
  }

  let running: Promise<void> = Promise.resolve();
  function schedule(pause: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = attempt();
    }, pause).unref();
  }

  await beat();
  await beat();
  session.onReconnected(() => {
    // Another server may have lost the latest changes, and count them anew.
    heard = 0;
    recordSuccess();
    schedule(0);
  });
  schedule(BEAT_MS);
  return {
    /** Id of this process, new at each start. */
    id: self.id,
    /** This process first, then all others whose last beat is less than 2 s old, as of the last beat of this one. */
    live: (): readonly Replica[] => [self, ...others],
    /** Whether the others certainly consider this process to be alive. False once it has not renewed its row for 2 s. */
    isTrusted: () => performance.now() < trustedUntil,
    /** Whether at least the last two beats have failed. */
    isCutOff: () => isCutOff,
    /**
     * Whether this process has renewed its row for 3 s without a gap. Before that the rows of the others may be old only
     * because the database was away, so nothing may be taken from them.
     */
    isSteady: () => performance.now() < trustedUntil && performance.now() - steadySince >= STEADY_MS,
    /** Calls the listener with the numbers of each beat, before `isTrusted` can become true by it. */
    onBeat: (listener: (changes: Changes) => void) => void listeners.add(listener),
    /** Records that this process has invalidated everything that it read before a change of the models. */
    recordHeard(change: number) {
      heard = change;
      const update = 'update atelier.replicas set heard = $2 where id = $1';
      // If this fails, the next beat writes it.
      session.query(update, [self.id, heard]).catch(() => {});
    },
    /** Deletes the row. */
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
      // Without the row, the others need not wait until it is old. If the database is away, it becomes old.
      await session.query('delete from atelier.replicas where id = $1', [self.id]).catch(() => {});
    },
  };
}
