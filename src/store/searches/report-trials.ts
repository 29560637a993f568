/** Events of the trainings of a search. */
import type { Transaction } from 'kysely';
import { isEnded } from '../../domain/jobs/status.ts';
import type { SearchEvent } from '../../domain/searches/representation.ts';
import type { Objective } from '../../domain/searches/request.ts';
import { standingOf } from '../../domain/searches/trials.ts';
import type { Database, SearchRow } from '../database/tables.ts';
import { writeSearchEvents } from './events.ts';
import { requestOf } from './rows.ts';
import { type StoredRun, type StoredTrial, storeRun } from './trials.ts';

/**
 * Writes an event for each training that has started, reached a rung or ended since the last one, in the order of the
 * trials, and stores its state.
 * @param limit of trainings; the others are reported by the next call
 * @returns number of trainings
 */
export async function reportTrials(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
  limit: number,
): Promise<number> {
  const { objective, repeats } = requestOf(search);
  const due = trials
    .flatMap((trial) => trial.runs.map((run) => ({ trial, run, reported: describe(run, trial.rung) })))
    .filter(({ run, reported }) => isNews(run, reported) || (run.uncopied !== null && isSettled(run)))
    .slice(0, limit);
  for (const { trial, run, reported } of due) await storeRun(trx, search.id, trial.trial, run, reported);
  const events = due
    .filter(({ run, reported }) => isNews(run, reported))
    .map(({ trial, run }) => ({ type: 'trial' as const, data: toEvent(trial, run, objective, repeats) }));
  await writeSearchEvents(trx, search.id, events);
  return due.length;
}

const isNews = ({ status, reported: before }: StoredRun, reported: string): boolean =>
  status !== 'waiting' && reported !== before;

function toEvent(
  trial: StoredTrial,
  run: StoredRun,
  objective: Objective,
  repeats: number,
): SearchEvent['data'] {
  const { value, epoch, validationLoss, validationAccuracy } = standingOf(
    { ...trial, runs: [run] },
    objective,
  );
  return {
    trial: trial.trial,
    ...(repeats > 1 && { repeat: run.repeat }),
    jobId: run.jobId,
    status: trial.isOut && run.status === 'cancelled' ? 'stopped' : run.status,
    rung: run.measured.length,
    epoch,
    value,
    validationLoss,
    validationAccuracy,
  };
}

/** Whether no thread works on it, or will. */
function isSettled({ status }: StoredRun): boolean {
  return status === 'paused' || (status !== 'waiting' && isEnded(status));
}

function describe(run: StoredRun, rung: number): string {
  return isSettled(run) ? `${run.status} ${run.measured.length}` : `active ${rung}`;
}
