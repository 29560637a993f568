/** Word of events once they are committed: from the table itself, so that no transaction can forget to give it. */
import type { DatabaseSync } from 'node:sqlite';

/** Told after the commit, once for every job that it wrote events of, with the ids of these; must not throw. */
export type OnCommitted = (jobId: string, first: number, last: number) => void;

export interface EventNotifications {
  /** From now on; the table must be there. */
  start(): void;
  /** To be called after every statement. */
  flush(): void;
}

export function createEventNotifications(db: DatabaseSync, onCommitted: OnCommitted): EventNotifications {
  const jobs = new Map<string, { readonly first: number; readonly last: number }>();
  return {
    start() {
      db.function('event_written', (jobId, eventId) => {
        const last = Number(eventId);
        jobs.set(String(jobId), { first: jobs.get(String(jobId))?.first ?? last, last });
        return null;
      });
      // Temporary triggers belong to this connection: nothing of it is in the file.
      db.exec(
        'create temp trigger event_written after insert on events begin select event_written(new.job_id, new.id); end',
      );
    },
    flush() {
      if (jobs.size === 0 || db.isTransaction) return;
      // What was rolled back is told too: whoever looks finds nothing new.
      const told = [...jobs];
      jobs.clear();
      for (const [jobId, { first, last }] of told) onCommitted(jobId, first, last);
    },
  };
}
