/** Notices: something in the database has changed, in this process or in another one that shares the database. */
import type { Rows } from './rows.ts';

/**
 * - `event`: a job has new events, or was deleted
 * - `job`: an active job shall pause or be cancelled
 * - `queue`: a job is queued, or no longer
 * - `models`: a version or an alias was added, moved, annotated or deleted, or a job with its checkpoints was deleted
 * - `datasets`, `keys`: a data set, or the bootstrap key
 */
export type NoticeKind = 'event' | 'job' | 'queue' | 'models' | 'datasets' | 'keys';

/**
 * Called with the id of the job for `event` and `job`, and with the name of the model or the id of the job for `models`, or
 * an empty string if any may have changed. Must not throw.
 */
export type NoticeListener = (subject: string) => void;

export interface Notices {
  /**
   * Calls the listener after the commit of each change, at least once. With several processes it may be called more than
   * once, or without a change.
   */
  on(kind: NoticeKind, listener: NoticeListener): void;
  /** Calls the listener when notices may have been missed. Those that the tables still show have been delivered then. */
  onGap(listener: () => void): void;
  /**
   * Declares that listeners need the events of a job, until the returned function is called. Where notices do not arrive,
   * only the jobs followed are looked at.
   */
  follow(jobId: string): () => void;
  /** How notices of other processes arrive; `local` if no other process shares the database. */
  mode(): 'local' | 'listening' | 'polling';
}

/** Agreement of all processes on the meaning of a model's name. */
export interface Agreement {
  /** Resolves when no live process uses what it read of the models before this call; at the latest after 8.2 s. */
  reach(): Promise<void>;
  /** Whether what was read of the models is current until a notice says otherwise. */
  isTrusted(): boolean;
  /** Whether the database has not been reachable lately, so that nothing can be read again. */
  isCutOff(): boolean;
}

/** The agreement of a process that shares its database with no other. */
export const ALONE: Agreement = {
  async reach() {},
  isTrusted: () => true,
  isCutOff: () => false,
};

/** Listeners of each kind. */
export function createListeners() {
  const listeners = new Map<NoticeKind, Set<NoticeListener>>();
  return {
    on(kind: NoticeKind, listener: NoticeListener): void {
      const known = listeners.get(kind);
      if (known) known.add(listener);
      else listeners.set(kind, new Set([listener]));
    },
    emit(kind: NoticeKind, subject = ''): void {
      for (const listener of listeners.get(kind) ?? []) listener(subject);
    },
  };
}

/**
 * Notices of a process that shares its database with no other: only of events, and of the models of jobs that succeeded or
 * were deleted. Everything else is changed by services that need no notice of it.
 */
export function createLocalNotices({ onCommitted }: Pick<Rows, 'onCommitted'>): Notices {
  const { on, emit } = createListeners();
  onCommitted((jobId, events) => {
    // Before the event: its readers may ask for the version at once.
    for (const { data, job } of events) {
      if (job && data['to'] === 'succeeded') emit('models', job.modelName);
    }
    if (events.length === 0) emit('models', jobId);
    emit('event', jobId);
  });
  return { on, onGap() {}, follow: () => () => {}, mode: () => 'local' };
}
