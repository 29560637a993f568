/** Claims of queued jobs: of all processes, one starts a job. */
import { type QueuePosition, selectQueued } from '../store/runs/queue-order.ts';
import { type Boss, TRAINING } from './boss.ts';
import { jobIdOf } from './boss-tickets.ts';

export interface QueuedJob extends QueuePosition {
  /** JSON of the environment whose checkpoints the job continues from; null without checkpoints. */
  readonly origin: string | null;
}

export interface Claim extends QueuedJob {
  /** Makes the ticket free for all processes. Does nothing once the job has started. */
  putBack(): Promise<void>;
}

export interface JobClaims {
  /** The first job of the queue, or the next one after `after`; another process may have claimed it. */
  next(after?: QueuePosition): Promise<QueuedJob | undefined>;
  /**
   * Claims the first job of the queue with a free ticket. The start of the job ends the claim.
   * @param skipped ids of jobs to leave to other processes
   */
  claim(skipped: readonly string[]): Promise<Claim | undefined>;
  /** Returns those jobs of this process that must stop, because a client asked for it or another process runs them. */
  stopping(jobIds: readonly string[]): Promise<string[]>;
}

/** @param runner id of this replica */
export function createJobClaims({ db, queue }: Boss, runner: string): JobClaims {
  const queued = (after?: QueuePosition) => selectQueued(db, after).select('origin');
  return {
    next: (after) => queued(after).limit(1).executeTakeFirst(),

    async claim(skipped) {
      for (;;) {
        const [ticket] = await queue.fetch(TRAINING, { ignoreGroups: [...skipped] });
        if (!ticket) return undefined;
        const job = await queued().where('id', '=', jobIdOf(ticket.id)).executeTakeFirst();
        // The number of the attempt is a fence: the claim of another process stays as it is.
        if (job) return { ...job, putBack: async () => void (await queue.fail(TRAINING, ticket)) };
        await queue.deleteJob(TRAINING, ticket);
      }
    },

    async stopping(jobIds) {
      const stopping = await db
        .selectFrom('jobs')
        .select('id')
        .where('id', 'in', [...jobIds])
        // A queued job is about to start here.
        .where('status', '!=', 'queued')
        .where((eb) => eb.or([eb('status', '!=', 'running'), eb('runner', 'is distinct from', runner)]))
        .execute();
      return stopping.map(({ id }) => id);
    },
  };
}
