/** Notifies listeners of durable events and deleted jobs, by triggers, so no writer can forget to notify. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { CommittedEvent, OnCommitted } from '../database/committed-events.ts';
import { decode } from '../database/json-column.ts';

export interface EventNotifications {
  /** Creates the triggers. The tables must exist. */
  start(): void;
  /** Returns a function that notifies of the events of a transaction. Call it after each commit. */
  take(): () => void;
  /** Discards the events of a transaction that was rolled back. */
  discard(): void;
}

/** Temporary triggers belong to this connection; the database file does not contain them. */
const TRIGGERS = `
  create temp trigger event_written after insert on events begin
    select event_written(new.job_id, new.id, new.type, new.at, new.data, (
      select json_object(
        'modelName', coalesce(request ->> 'modelName', ''),
        'dataset', coalesce(request ->> 'dataset', ''),
        'validationFraction', request ->> '$.training.validation.fraction',
        'attempts', attempts,
        'step', coalesce(progress ->> 'step', 0),
        'digest', digest,
        'searchId', search_id,
        'error', iif(error_code is null, null, json_object('code', error_code, 'message', error_message))
      ) from (
        select
          iif(json_valid(request), request, '{}') as request,
          iif(json_valid(progress), progress, '{}') as progress,
          attempts, digest, search_id, error_code, error_message
        from jobs where id = new.job_id and new.type = 'status'
      )
    ));
  end;
  create temp trigger search_event_written after insert on search_events begin
    select event_written(new.search_id, new.id, new.type, new.at, new.data, null);
  end;
  create temp trigger job_deleted after delete on jobs begin
    select job_deleted(old.id);
  end`;

export function createEventNotifications(db: DatabaseSync, onCommitted: OnCommitted): EventNotifications {
  const written = new Map<string, CommittedEvent[]>();

  function record(...values: SQLOutputValue[]): null {
    const [jobId, id, type, at, data, job] = values;
    const event: CommittedEvent = {
      id: Number(id),
      type: String(type) as CommittedEvent['type'],
      at: String(at),
      data: decode(String(data)),
      job: job === null ? null : decode(String(job)),
    };
    const events = written.get(String(jobId));
    if (events) events.push(event);
    else written.set(String(jobId), [event]);
    return null;
  }

  return {
    start() {
      db.function('event_written', { varargs: true }, record);
      db.function('job_deleted', (id) => {
        written.set(String(id), []);
        return null;
      });
      db.exec(TRIGGERS);
    },
    take() {
      const committed = [...written];
      written.clear();
      return () => {
        for (const [jobId, events] of committed) onCommitted(jobId, events);
      };
    },
    discard: () => written.clear(),
  };
}
