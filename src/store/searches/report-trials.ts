/** Events of the trainings of a search. */
import type { Transaction } from 'kysely';
import { isEnded } from '../../domain/jobs/status.ts';
import type { SearchEvent } from '../../domain/searches/representation.ts';
import type { Objective } from '../../domain/searches/request.ts';
import { computeStanding } from '../../domain/searches/trials.ts';
import type { Database, SearchRow } from '../database/tables.ts';
import { writeSearchEvents } from './events.ts';
import { decodeRequest } from './rows.ts';
import { type StoredTraining, type StoredTrial, storeTraining } from './trials.ts';

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
  const { objective, repeats } = decodeRequest(search);
  const due = trials
    .flatMap((trial) =>
      trial.trainings.map((training) => ({ trial, training, reported: describe(training, trial.rung) })),
    )
    .filter(
      ({ training, reported }) =>
        isNews(training, reported) || (training.uncopied !== null && isSettled(training)),
    )
    .slice(0, limit);
  for (const { trial, training, reported } of due)
    await storeTraining(trx, search.id, trial.trial, training, reported);
  const events = due
    .filter(({ training, reported }) => isNews(training, reported))
    .map(({ trial, training }) => ({
      type: 'trial' as const,
      data: toEvent(trial, training, objective, repeats),
    }));
  await writeSearchEvents(trx, search.id, events);
  return due.length;
}

const isNews = ({ status, reported: before }: StoredTraining, reported: string): boolean =>
  status !== 'waiting' && reported !== before;

function toEvent(
  trial: StoredTrial,
  training: StoredTraining,
  objective: Objective,
  repeats: number,
): SearchEvent['data'] {
  const { value, epoch, validationLoss, validationAccuracy } = computeStanding(
    { ...trial, trainings: [training] },
    objective,
  );
  return {
    trial: trial.trial,
    ...(repeats > 1 && { repeat: training.repeat }),
    jobId: training.jobId,
    status: trial.isOut && training.status === 'cancelled' ? 'stopped' : training.status,
    rung: training.measured.length,
    epoch,
    value,
    validationLoss,
    validationAccuracy,
  };
}

/** Whether no thread works on it, or will. */
function isSettled({ status }: StoredTraining): boolean {
  return status === 'paused' || (status !== 'waiting' && isEnded(status));
}

function describe(training: StoredTraining, rung: number): string {
  return isSettled(training) ? `${training.status} ${training.measured.length}` : `active ${rung}`;
}
