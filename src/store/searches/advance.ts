/** Advances a search: decides what is due, and does it in the transaction that read the state. */
import type { Transaction } from 'kysely';
import { countProgress, findBest } from '../../domain/searches/leaderboard.ts';
import { nextActions } from '../../domain/searches/next-actions.ts';
import { encode } from '../database/json-column.ts';
import type { Database, SearchRow } from '../database/tables.ts';
import { type Advance, applyAction, type SearchJobs } from './actions.ts';
import { activeSeconds, lockSearch } from './events.ts';
import { reportTrials } from './report-trials.ts';
import { decodePlan, decodeRequest } from './rows.ts';
import { readTrials, type StoredTrial } from './trials.ts';

/**
 * Largest number of trainings that one transaction starts or stops, and reports. SQLite runs a transaction in the main thread
 * without a pause.
 */
const MAX_ACTIONS = 8;
const MAX_REPORTS = 32;

/**
 * Does part of what is due. The caller must have locked the queue.
 * @throws AtelierError `search-not-found`
 */
export async function advanceSearch(
  trx: Transaction<Database>,
  id: string,
  jobs: SearchJobs,
): Promise<Advance> {
  const advance: Advance = { stopping: [], removed: [], isMore: false };
  let left = MAX_ACTIONS;
  for (;;) {
    const search = await lockSearch(trx, id);
    const trials = await readTrials(trx, search);
    const reports = await reportTrials(trx, search, trials, MAX_REPORTS);
    if (left === 0 || reports === MAX_REPORTS) return { ...advance, isMore: true };
    const actions = nextActions(await toState(trx, search, trials, jobs));
    if (actions.length === 0) {
      await summarize(trx, search, trials);
      return advance;
    }
    const due = actions.slice(0, left);
    for (const action of due) await applyAction(trx, search, trials, action, jobs, advance);
    // Nothing is due after a search has ended or is paused, so its summary belongs into the same transaction.
    if (due[0]!.type !== 'become') left -= due.length;
  }
}

async function toState(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
  { parallel, now }: SearchJobs,
) {
  const { halving, objective, final, budget } = decodeRequest(search);
  const finalJob =
    search.final_job_id === null
      ? undefined
      : await trx
          .selectFrom('jobs')
          .select(['status', 'pause_reason as pauseReason'])
          .where('id', '=', search.final_job_id)
          .executeTakeFirst();
  return {
    status: search.status,
    isFinishing: search.finishing !== 0,
    isOutOfTime: budget?.seconds !== undefined && (await activeSeconds(trx, search, now())) >= budget.seconds,
    rungs: decodePlan(search).rungs.length,
    halving,
    objective,
    parallel,
    trainsFinally: final.trainOn !== null,
    trials,
    final: finalJob ?? null,
  };
}

/** Stores what lists of searches show. */
async function summarize(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
): Promise<void> {
  const best = findBest(trials, decodeRequest(search));
  const { finishing, finished_at: finishedAt } = search;
  const { plannedEpochs } = decodePlan(search);
  const progress = countProgress(trials, { finishing: finishing !== 0, finishedAt }, plannedEpochs);
  await trx
    .updateTable('searches')
    .set({ progress: encode(progress), best: best && encode(best) })
    .where('id', '=', search.id)
    .execute();
}
