/** Notices by LISTEN and NOTIFY. Where they do not arrive, the tables are polled twice a second. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import type { StoreLog } from '../../database/log.ts';
import { createListeners, type NoticeKind, type Notices } from '../../database/notices.ts';
import type { Rows } from '../../database/rows.ts';
import type { Changes, Replicas } from './processes.ts';
import type { Session } from './session.ts';

export interface PostgresNotices extends Notices {
  close(): void;
}

const POLL_MS = 500;
const PROOF_MS = 2000;
/** A single test notice could arrive by chance: a pooler may lend the connection that listens. */
const PROOFS = 3;
/** While polling, the proof is tried again after this number of polls. */
const POLLS_UNTIL_PROOF = 120;

/** Number of events of a job that has been deleted. */
const DELETED = -1;

const CHANGES = ['models', 'datasets', 'keys'] as const;

const LOOK = `
  select
    (select json_object_agg(kind, number) from atelier.changes) as changes,
    (select coalesce(json_object_agg(id, event_count), '{}') from (
      select id, event_count from atelier.jobs where id = any($1)
      union all select id, event_count from atelier.searches where id = any($1)
    ) as followed) as events,
    (select coalesce(json_agg(id), '[]') from atelier.jobs
      where status in ('pausing', 'cancelling') and runner = $2) as stopping`;

interface Look {
  readonly changes: Changes;
  readonly events: Readonly<Record<string, number>>;
  readonly stopping: readonly string[];
}

/**
 * Notices of this process about events are delivered directly after its commit, and again through the session, like the
 * notices of other processes. Listeners may therefore be called twice.
 * @param options.rows its connections send the test notices
 */
export function createPostgresNotices(options: {
  readonly rows: Pick<Rows, 'db' | 'onCommitted'>;
  readonly session: Session;
  readonly replicas: Replicas;
  readonly log: StoreLog;
}): PostgresNotices {
  const { rows, session, replicas, log } = options;
  const { on, emit } = createListeners();
  const gapListeners = new Set<() => void>();
  const known: Record<keyof Changes, number> = { models: -1, datasets: -1, keys: -1 };
  /** The number of followers of each job, and of events at the last look. */
  const followed = new Map<string, { followers: number; events: number }>();
  const proofs = new Map<string, () => void>();
  let isHeard = false;
  let attempt = 0;
  let polls = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let isWarned = false;

  function learn(kind: keyof Changes, number: number, subject = ''): void {
    if (number <= known[kind]) return;
    // If a notice was missed, the subject of its change is not known.
    emit(kind, number === known[kind] + 1 ? subject : '');
    known[kind] = number;
    if (kind === 'models') replicas.recordHeard(number);
  }

  function receive(payload: string): void {
    const [kind, value = '', subject] = payload.split(' ') as [NoticeKind | 'proof', string?, string?];
    if (kind === 'proof') proofs.get(value)?.();
    else if (kind === 'models' || kind === 'datasets' || kind === 'keys') learn(kind, Number(value), subject);
    else emit(kind, value);
  }

  function learnAll(changes: Changes): void {
    for (const kind of CHANGES) learn(kind, changes[kind]);
  }

  /** Finds whatever notices may have been missed. */
  async function look(): Promise<void> {
    const [found] = await session.query<Look>(LOOK, [[...followed.keys()], replicas.id]);
    learnAll(found!.changes);
    for (const [jobId, job] of followed) {
      // A deleted job is missing.
      const count = found!.events[jobId] ?? DELETED;
      if (job.events === count) continue;
      job.events = count;
      emit('event', jobId);
    }
    for (const jobId of found!.stopping) emit('job', jobId);
    emit('queue');
  }

  async function poll(): Promise<void> {
    polls += 1;
    await look().catch(() => {}); // the session logs the loss of its connection
    if (isHeard || isClosed) return;
    if (polls % POLLS_UNTIL_PROOF === 0) void listen();
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void poll(), POLL_MS).unref();
  }

  /** Polls until the session has received test notices. A look after LISTEN finds what was missed before. */
  async function listen(): Promise<void> {
    attempt += 1;
    const own = attempt;
    isHeard = false;
    schedule();
    try {
      await session.query('listen atelier');
      const isProven = await prove();
      if (own !== attempt || isClosed) return;
      isHeard = isProven;
      if (isProven && isWarned) log.info({}, 'notices of the database arrive again');
      if (!isProven && !isWarned) {
        log.warn(
          'notices of the database do not arrive, so it is polled; set DATABASE_DIRECT_URL to its own address',
        );
      }
      isWarned = !isProven;
      await look();
      for (const listener of gapListeners) listener();
    } catch {
      // The next connection listens again.
    }
  }

  async function prove(): Promise<boolean> {
    for (let proof = 0; proof < PROOFS; proof++) {
      const nonce = randomUUID();
      const heard = new Promise<true>((resolve) => proofs.set(nonce, () => resolve(true)));
      try {
        await sql`select pg_notify('atelier', ${`proof ${nonce}`})`.execute(rows.db);
        if (!(await Promise.race([heard, wait(PROOF_MS, false, { ref: false })]))) return false;
      } finally {
        proofs.delete(nonce);
      }
    }
    return true;
  }

  session.onNotification(receive);
  session.onReconnected(() => {
    // Another server may have lost the latest changes, and count them anew.
    for (const kind of CHANGES) known[kind] = -1;
    void listen();
  });
  replicas.onBeat(learnAll);
  rows.onCommitted((jobId) => emit('event', jobId));
  void listen();

  return {
    on,
    onGap: (listener) => void gapListeners.add(listener),
    follow(jobId) {
      const job = followed.get(jobId) ?? { followers: 0, events: 0 };
      followed.set(jobId, job);
      job.followers += 1;
      return () => {
        job.followers -= 1;
        if (job.followers === 0) followed.delete(jobId);
      };
    },
    mode: () => (isHeard && !replicas.isCutOff() ? 'listening' : 'polling'),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
