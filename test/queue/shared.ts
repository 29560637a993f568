/** Stores and queues that share a database, like processes. A test ends their jobs. */
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { AdmitJob, JobQueue, RunJob } from '../../src/queue/job-queue.ts';
import { Preemption } from '../../src/queue/local-runs.ts';
import { type Boss, migrateBoss, startBoss } from '../../src/queue/pg-boss.ts';
import { openJobQueue } from '../../src/queue/shared-queue.ts';
import { type ClaimableTickets, createTickets } from '../../src/queue/tickets.ts';
import { createJobPlacement } from '../../src/services/queueing/placement.ts';
import { createJobPreemption } from '../../src/services/queueing/preemption.ts';
import type { Store } from '../../src/store/persistent-state.ts';
import { openPostgresStore } from '../../src/store/postgres/open.ts';
import type { Replicas } from '../../src/store/postgres/replicas/processes.ts';
import { request, temporaryDirectory, untouched } from '../store/fixtures.ts';
import { sharedDatabase } from '../store/postgres/blob-database.ts';
import { OFFER } from '../store/postgres/join.ts';
import { catalogOf } from '../support/catalog.ts';
import { addCleanup } from '../support/start-service.ts';

/** Lines such as `a starts job_…`. */
export function createLog() {
  const lines: string[] = [];
  const waiters = new Set<() => void>();
  return {
    lines,
    append(line: string) {
      lines.push(line);
      for (const wake of waiters) wake();
    },
    /** Resolves with the first line after `from` lines that contains the words. */
    async until(words: string, from = 0): Promise<string> {
      for (;;) {
        const found = lines.slice(from).find((line) => line.includes(words));
        if (found !== undefined) return found;
        const { promise, resolve } = Promise.withResolvers<void>();
        waiters.add(resolve);
        await promise;
        waiters.delete(resolve);
      }
    },
  };
}

export async function queueDatabase(t: TestContext): Promise<string> {
  const url = await sharedDatabase(t);
  await migrateBoss(url);
  return url;
}

export type ProcessOptions = Partial<Parameters<typeof startProcess>[1]>;

/** The processes `a` and `b`. */
export async function startTwo(
  t: TestContext,
  url: string,
  ofA: ProcessOptions = {},
  ofB: ProcessOptions = {},
) {
  const log = createLog();
  const a = await startProcess(t, { url, name: 'a', log, ...ofA });
  const b = await startProcess(t, { url, name: 'b', log, ...ofB });
  const byName: Readonly<Record<string, Process>> = { a, b };
  return {
    a,
    b,
    log,
    async create(count: number): Promise<string[]> {
      const ids: string[] = [];
      for (let n = 0; n < count; n++) ids.push(await (n % 2 ? a : b).create());
      a.queue.notify();
      b.queue.notify();
      return ids;
    },
    /** Waits for the start of a job, and returns the process. */
    async untilStarted(id: string, from = 0): Promise<Process> {
      return byName[(await log.until(`starts ${id}`, from))[0]!]!;
    },
    started: () => log.lines.flatMap((line) => / starts (.*)/.exec(line)?.[1] ?? []),
  };
}

export interface Process {
  readonly store: Store;
  readonly boss: Boss;
  readonly replicas: Replicas;
  readonly queue: JobQueue;
  create(priority?: number): Promise<string>;
  /** Ends a job if it runs here. */
  end(jobId: string): void;
  close(): Promise<void>;
}

export async function startProcess(
  t: TestContext,
  options: {
    url: string;
    name: string;
    log: ReturnType<typeof createLog>;
    slots?: number;
    admit?: AdmitJob;
    isLeft?: (jobId: string) => boolean;
  },
): Promise<Process> {
  const { url, name, log, slots = 1, admit } = options;
  let boss: Boss | undefined;
  let tickets: ClaimableTickets | undefined;
  const store = await openPostgresStore({
    url,
    directory: await temporaryDirectory(t),
    offer: { ...OFFER, slots },
    async openTickets(db, send) {
      boss = await startBoss({ db, send, onError() {} });
      tickets = createTickets(boss);
      return tickets;
    },
  });
  const replicas = store.replicas!;
  const ends = new Map<string, () => void>();

  const runJob: RunJob = async (jobId, signal) => {
    const run = await store.jobs.start(jobId, { runner: replicas.id });
    if (run === null) return;
    const ended = Promise.withResolvers<void>();
    ends.set(jobId, ended.resolve);
    log.append(`${name} starts ${jobId}`);
    await Promise.race([ended.promise, once(signal, 'abort')]);
    const { reason } = signal;
    const by = reason instanceof Preemption ? reason.by : undefined;
    if (signal.aborted) log.append(`${name} leaves ${jobId} ${(await run.release(0, by)).status}`);
    else {
      const error = { code: 'internal-error', message: 'as the test demands' } as const;
      await run.finish({ status: 'failed', step: 0, error });
      log.append(`${name} ends ${jobId}`);
    }
  };
  const queue = openJobQueue(
    {
      next: store.jobs.nextQueued,
      claim: tickets!.claim,
      isLeft: async ({ id }) => options.isLeft?.(id) ?? false,
      ...(admit && { admit }),
      preempt: createJobPreemption({
        jobs: store.jobs,
        memory: { fitsJobs: () => true },
        readRequirement: async () => null,
        peersFor: createJobPlacement({ replicas, jobs: store.jobs, catalog: catalogOf() }).peersFor,
      }),
      runJob,
      slots,
      onDefect: (jobId, error) => log.append(`${name} ${jobId}: ${error}`),
    },
    { boss: boss!, table: 'jobs', replicas, notices: store.notices, recover: store.jobs.recoverOne },
  );
  queue.start();
  let isClosed = false;
  async function close() {
    if (isClosed) return;
    isClosed = true;
    await queue.close();
    await boss!.close();
    await store.close();
  }
  addCleanup(t, close);
  return {
    store,
    boss: boss!,
    replicas,
    queue,
    create: async (priority = 0) => (await store.jobs.create({ ...request(), priority }, untouched)).id,
    end: (jobId) => ends.get(jobId)?.(),
    close,
  };
}
