/** Trials of a search with the states of their jobs. */
import type { Kysely } from 'kysely';
import type { EpochRecord } from '../domain/epoch-record.ts';
import type { Setting } from '../domain/search/settings.ts';
import type { Measured, RunState, TrialState } from '../domain/search/trials.ts';
import { decode } from './json-column.ts';
import { planOf } from './search-rows.ts';
import type { Database, SearchRow } from './tables.ts';

export interface StoredRun extends RunState {
  readonly jobId: string | null;
  /** Epochs trained. */
  readonly epochs: number;
  readonly error: string | null;
  readonly reported: string | null;
}

export interface StoredTrial extends TrialState {
  readonly setting: Setting;
  readonly runs: readonly StoredRun[];
}

/** In the order of their numbers. */
export async function readTrials(
  db: Kysely<Database>,
  search: Pick<SearchRow, 'id' | 'plan'>,
): Promise<StoredTrial[]> {
  const { rungs } = planOf(search);
  const rows = await db
    .selectFrom('trials')
    .leftJoin('jobs', 'jobs.id', 'trials.job_id')
    .select(['trial', 'repeat', 'setting', 'rung', 'is_out', 'job_id', 'reported'])
    .select(['jobs.status', 'pause_reason', 'result_epoch', 'error_message', 'latest'])
    .where('trials.search_id', '=', search.id)
    .orderBy('trial')
    .orderBy('repeat')
    .execute();
  const records = await readRecords(db, search.id, rungs);
  const trials: (StoredTrial & { runs: StoredRun[] })[] = [];
  for (const row of rows) {
    const run: StoredRun = {
      repeat: row.repeat,
      status: row.status ?? 'waiting',
      pauseReason: row.pause_reason,
      measured: measuredAt(records.get(row.job_id ?? ''), rungs, row),
      jobId: row.job_id,
      epochs: row.latest === null ? 0 : decode<EpochRecord>(row.latest).epoch,
      error: row.error_message,
      reported: row.reported,
    };
    const last = trials.at(-1);
    if (last?.trial === row.trial) last.runs.push(run);
    else {
      const { trial, rung, is_out } = row;
      trials.push({ trial, rung, isOut: is_out === 1, setting: decode<Setting>(row.setting), runs: [run] });
    }
  }
  return trials;
}

/** The figures of the epochs that matter, by job and epoch. */
async function readRecords(
  db: Kysely<Database>,
  searchId: string,
  rungs: readonly number[],
): Promise<Map<string, Map<number, Measured>>> {
  const decisions = rungs.slice(0, -1);
  const rows = await db
    .selectFrom('jobs')
    .innerJoin('metrics', 'metrics.job_id', 'jobs.id')
    .select(['job_id', 'epoch', 'record'])
    .where('search_id', '=', searchId)
    .where('search_trial', 'is not', null)
    .where((eb) => {
      const isResult = eb('epoch', '=', eb.ref('result_epoch'));
      return decisions.length === 0 ? isResult : eb.or([isResult, eb('epoch', 'in', decisions)]);
    })
    .execute();
  const records = new Map<string, Map<number, Measured>>();
  for (const { job_id, record } of rows) {
    const { epoch, validationLoss, validationAccuracy } = decode<EpochRecord>(record);
    // Every trial holds out images.
    if (validationLoss === null || validationAccuracy === null) continue;
    const known = records.get(job_id) ?? new Map<number, Measured>();
    records.set(job_id, known.set(epoch, { epoch, validationLoss, validationAccuracy }));
  }
  return records;
}

function measuredAt(
  records: ReadonlyMap<number, Measured> = new Map(),
  rungs: readonly number[],
  { status, result_epoch }: { status: string | null; result_epoch: number | null },
): Measured[] {
  const measured: Measured[] = [];
  for (const epoch of rungs.slice(0, -1)) {
    const found = records.get(epoch);
    if (found === undefined) return measured;
    measured.push(found);
  }
  const result = status === 'succeeded' && result_epoch !== null ? records.get(result_epoch) : undefined;
  return result === undefined ? measured : [...measured, result];
}
