/** Trials of a search. Each keeps a copy of the state of its job. */
import type { Kysely, Transaction } from 'kysely';
import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import type { Setting } from '../../domain/searches/settings.ts';
import type { Measured, TrainingState, TrialState } from '../../domain/searches/trials.ts';
import { decode, encode } from '../database/json-column.ts';
import type { Database, SearchRow } from '../database/tables.ts';
import { decodePlan } from './rows.ts';

/** The part of a job that decisions and leaderboards need. */
interface JobState extends Omit<TrainingState, 'repeat'> {
  /** Epochs trained. */
  readonly epochs: number;
  readonly error: string | null;
}

export interface StoredTraining extends TrainingState, JobState {
  readonly jobId: string | null;
  readonly reported: string | null;
  /** Last event of the job if the trial has no copy of the state after it; else null. */
  readonly uncopied: number | null;
}

export interface StoredTrial extends TrialState {
  readonly setting: Setting;
  readonly trainings: readonly StoredTraining[];
}

const WAITING: JobState = { status: 'waiting', pauseReason: null, measured: [], epochs: 0, error: null };

/** In the order of their numbers. Of the jobs, only those are read that have events since their state was copied. */
export async function readTrials(
  db: Kysely<Database>,
  search: Pick<SearchRow, 'id' | 'plan'>,
): Promise<StoredTrial[]> {
  // Before the copies: a state that is copied in between is in both, and not in neither.
  const changed = await readChanged(db, search.id, decodePlan(search).rungs);
  const rows = await db
    .selectFrom('trials')
    .select(['trial', 'repeat', 'setting', 'rung', 'is_out', 'job_id', 'reported', 'state'])
    .where('search_id', '=', search.id)
    .orderBy('trial')
    .orderBy('repeat')
    .execute();
  const trials: (StoredTrial & { trainings: StoredTraining[] })[] = [];
  for (const row of rows) {
    const { trial, rung, is_out, repeat, job_id: jobId, reported } = row;
    const { event: uncopied, state } = changed.get(jobId ?? '') ?? {
      event: null,
      state: row.state === null ? WAITING : decode<JobState>(row.state),
    };
    const training = { ...state, repeat, jobId, reported, uncopied };
    const last = trials.at(-1);
    if (last?.trial === trial) last.trainings.push(training);
    else
      trials.push({
        trial,
        rung,
        isOut: is_out === 1,
        setting: decode<Setting>(row.setting),
        trainings: [training],
      });
  }
  return trials;
}

/** Stores a copy of the state of the training's job, and what has been reported of it. */
export async function storeTraining(
  trx: Transaction<Database>,
  searchId: string,
  trial: number,
  { repeat, status, pauseReason, measured, epochs, error, uncopied }: StoredTraining,
  reported: string | null,
): Promise<void> {
  const state: JobState = { status, pauseReason, measured, epochs, error };
  await trx
    .updateTable('trials')
    .set({ reported, ...(uncopied !== null && { state: encode(state), state_event: uncopied }) })
    .where('search_id', '=', searchId)
    .where('trial', '=', trial)
    .where('repeat', '=', repeat)
    .execute();
}

interface Changed {
  readonly event: number;
  readonly state: JobState;
}

/** Jobs with events since their state was copied, with the figures of the epochs that matter: one statement, one state. */
async function readChanged(
  db: Kysely<Database>,
  searchId: string,
  rungs: readonly number[],
): Promise<Map<string, Changed>> {
  const decisions = rungs.slice(0, -1);
  const rows = await db
    .selectFrom('trials')
    .innerJoin('jobs', 'jobs.id', 'trials.job_id')
    .leftJoin('metrics', (join) =>
      join.onRef('metrics.job_id', '=', 'jobs.id').on((eb) => {
        const isResult = eb('epoch', '=', eb.ref('result_epoch'));
        return decisions.length === 0 ? isResult : eb.or([isResult, eb('epoch', 'in', decisions)]);
      }),
    )
    .select(['jobs.id', 'status', 'pause_reason', 'result_epoch', 'error_message', 'latest', 'event_count'])
    .select(['epoch', 'record'])
    .where('trials.search_id', '=', searchId)
    .where((eb) =>
      eb.or([eb('state_event', 'is', null), eb('state_event', '!=', eb.ref('jobs.event_count'))]),
    )
    .execute();
  const changed = new Map<string, Changed>();
  for (const [id, ofJob] of Map.groupBy(rows, (row) => row.id)) {
    const [{ status, pause_reason, result_epoch, error_message, latest, event_count }] = ofJob as [
      (typeof rows)[number],
    ];
    const records = ofJob.flatMap(({ record }) => (record === null ? [] : toMeasured(record)));
    const state: JobState = {
      status,
      pauseReason: pause_reason,
      measured: measuredAt(records, decisions, status === 'succeeded' ? result_epoch : null),
      epochs: latest === null ? 0 : decode<EpochRecord>(latest).epoch,
      error: error_message,
    };
    changed.set(id, { event: event_count, state });
  }
  return changed;
}

function toMeasured(record: string): Measured[] {
  const { epoch, validationLoss, validationAccuracy } = decode<EpochRecord>(record);
  // Every trial holds out images.
  if (validationLoss === null || validationAccuracy === null) return [];
  return [{ epoch, validationLoss, validationAccuracy }];
}

/** @param result epoch whose parameters the training would publish; null before its end */
function measuredAt(
  records: readonly Measured[],
  decisions: readonly number[],
  result: number | null,
): Measured[] {
  const measured: Measured[] = [];
  for (const epoch of result === null ? decisions : [...decisions, result]) {
    const found = records.find((record) => record.epoch === epoch);
    if (found === undefined) break;
    measured.push(found);
  }
  return measured;
}
