/** Carries out the decisions of a search. */
import type { Transaction } from 'kysely';
import { isEnded } from '../../domain/jobs/status.ts';
import type { SearchAction, TrainingName } from '../../domain/searches/next-actions.ts';
import type { Setting } from '../../domain/searches/settings.ts';
import type { Publication } from '../../domain/training/publication.ts';
import { removeUnreferenced } from '../checkpoints/prune.ts';
import { decode } from '../database/json-column.ts';
import type { Database, SearchRow } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { insertJob, type NewJob } from '../jobs/insert.ts';
import { requestCancel, requestPause, resumeJob } from '../jobs/status.ts';
import { activeSeconds, writeSearchEvent } from './events.ts';
import { decodePlan, FINISHING } from './rows.ts';
import type { StoredTrial } from './trials.ts';

type JobParts = Pick<NewJob, 'request' | 'progress'>;

/** Jobs of a search, as functions of what the database holds. They may throw an AtelierError. */
export interface SearchJobs {
  /** Largest number of jobs queued or active at once. */
  readonly parallel: number;
  /** For the time budget. */
  now(): Date;
  trialJob(setting: Setting, repeat: number, checksGradient: boolean): JobParts;
  /** @param epoch whose parameters the trial would publish; null if the trial was stopped */
  finalJob(setting: Setting, epoch: number | null): JobParts & { readonly stopAfterEpoch: number | null };
}

export interface Advance {
  /** Ids of the jobs whose threads shall stop. */
  readonly stopping: string[];
  /** Digests of the checkpoints that were removed. */
  readonly removed: string[];
  /** Whether more is due. What is left follows from what is stored, so any process can go on. */
  readonly isMore: boolean;
}

export async function applyAction(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
  action: SearchAction,
  jobs: SearchJobs,
  advance: Advance,
): Promise<void> {
  switch (action.type) {
    case 'start':
      return start(trx, search, trials, action.training, jobs);
    case 'pause': {
      const job = await requestPause(trx, findJobId(search, trials, action.training));
      if (job.status === 'pausing') advance.stopping.push(job.id);
      return;
    }
    case 'cancel':
      return cancel(trx, search, trials, action.training, advance);
    case 'decide':
      return decide(trx, search, action);
    case 'finish':
      return finish(trx, search, trials, jobs.now());
    case 'final':
      return startFinal(trx, search, trials, action.trial, jobs);
    case 'become':
      return become(trx, search, action);
  }
}

function findTrial(trials: readonly StoredTrial[], trial: number): StoredTrial {
  return trials.find((each) => each.trial === trial)!;
}

function findJobId(search: SearchRow, trials: readonly StoredTrial[], training: TrainingName): string {
  if (training === 'final') return search.final_job_id!;
  return findTrial(trials, training.trial).trainings.find(({ repeat }) => repeat === training.repeat)!.jobId!;
}

async function start(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
  name: TrainingName,
  { trialJob }: SearchJobs,
): Promise<void> {
  if (name === 'final') return void (await resumeJob(trx, search.final_job_id!));
  const trial = findTrial(trials, name.trial);
  const { rungs, checked } = decodePlan(search);
  const stopAfterEpoch = trial.rung < rungs.length - 1 ? rungs[trial.rung]! : null;
  const { jobId } = trial.trainings.find(({ repeat }) => repeat === name.repeat)!;
  if (jobId !== null) {
    await trx.updateTable('jobs').set({ stop_after_epoch: stopAfterEpoch }).where('id', '=', jobId).execute();
    await resumeJob(trx, jobId);
    return;
  }
  const membership = { id: search.id, trial: trial.trial, stopAfterEpoch };
  const checksGradient = name.repeat === 0 && checked.includes(trial.trial);
  const parts = trialJob(trial.setting, name.repeat, checksGradient);
  const job = await insertJob(trx, { ...parts, search: membership, traceparent: search.traceparent });
  await trx
    .updateTable('trials')
    .set({ job_id: job.id })
    .where('search_id', '=', search.id)
    .where('trial', '=', trial.trial)
    .where('repeat', '=', name.repeat)
    .execute();
}

/** The checkpoints of a job that never goes on are removed. */
async function cancel(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
  name: TrainingName,
  advance: Advance,
): Promise<void> {
  const id = findJobId(search, trials, name);
  const job = await requestCancel(trx, id);
  if (search.status === 'running' && name !== 'final' && !findTrial(trials, name.trial).isOut) {
    await trx
      .updateTable('trials')
      .set({ is_out: 1 })
      .where('search_id', '=', search.id)
      .where('trial', '=', name.trial)
      .execute();
  }
  if (job.status === 'cancelling') {
    advance.stopping.push(id);
    return;
  }
  const checkpoints = await trx.selectFrom('checkpoints').selectAll().where('job_id', '=', id).execute();
  advance.removed.push(...(await removeUnreferenced(trx, checkpoints)));
}

async function decide(
  trx: Transaction<Database>,
  search: SearchRow,
  { rung, continued, stopped }: Extract<SearchAction, { type: 'decide' }>,
): Promise<void> {
  const ofSearch = trx.updateTable('trials').where('search_id', '=', search.id);
  await ofSearch
    .set({ rung: rung + 1 })
    .where('trial', 'in', continued)
    .execute();
  if (stopped.length > 0) await ofSearch.set({ is_out: 1 }).where('trial', 'in', stopped).execute();
  const epoch = decodePlan(search).rungs[rung]!;
  await writeSearchEvent(trx, search.id, 'rung', { rung: rung + 1, epoch, continued, stopped });
}

/** Records which trials the choice is made from. */
async function finish(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
  now: Date,
): Promise<void> {
  const reason = 'time-budget';
  await trx
    .updateTable('searches')
    .set({ finishing: FINISHING[reason] })
    .where('id', '=', search.id)
    .execute();
  const ended = trials.filter(({ trainings }) => trainings.every(({ status }) => status === 'succeeded'));
  await writeSearchEvent(trx, search.id, 'status', {
    from: search.status,
    to: search.status,
    finishing: true,
    reason,
    activeSeconds: await activeSeconds(trx, search, now),
    ended: ended.map(({ trial }) => trial),
  });
}

async function startFinal(
  trx: Transaction<Database>,
  search: SearchRow,
  trials: readonly StoredTrial[],
  number: number,
  { finalJob }: SearchJobs,
): Promise<void> {
  const { setting, trainings } = findTrial(trials, number);
  const [first] = trainings;
  const isComplete = first!.status === 'succeeded';
  const { stopAfterEpoch, ...parts } = finalJob(setting, isComplete ? first!.measured.at(-1)!.epoch : null);
  const membership = { id: search.id, trial: null, stopAfterEpoch };
  const { id } = await insertJob(trx, { ...parts, search: membership, traceparent: search.traceparent });
  await trx.updateTable('searches').set({ final_job_id: id }).where('id', '=', search.id).execute();
  await writeSearchEvent(trx, search.id, 'final', { trial: number, jobId: id });
}

async function become(
  trx: Transaction<Database>,
  search: SearchRow,
  { status, reason }: Extract<SearchAction, { type: 'become' }>,
): Promise<void> {
  // A search that failed cancels its jobs first.
  const to = status === 'cancelled' && search.error_code !== null ? 'failed' : status;
  const isFailure = status === 'failed';
  const published = to === 'succeeded' ? await readPublication(trx, search) : null;
  await trx
    .updateTable('searches')
    .set({
      status: to,
      pause_reason: status === 'pausing' ? reason : search.pause_reason,
      ...(isEnded(to) && { finished_at: timestamp(search.created_at) }),
      ...published,
      ...(isFailure && { error_code: 'search-failed', error_message: reason }),
    })
    .where('id', '=', search.id)
    .execute();
  if (isFailure) await writeSearchEvent(trx, search.id, 'error', { code: 'search-failed', message: reason });
  const publication = published?.publication ? decode<Publication>(published.publication) : null;
  if (publication !== null && publication.version === null) {
    const warning = { code: 'not-learned', message: publication.reason };
    await writeSearchEvent(trx, search.id, 'warning', warning);
  }
  await writeSearchEvent(trx, search.id, 'status', {
    from: search.status,
    to,
    ...(reason !== null && { reason }),
  });
}

/** The publication of the final training; null without one. */
async function readPublication(
  trx: Transaction<Database>,
  { final_job_id: id }: SearchRow,
): Promise<Pick<SearchRow, 'model_version' | 'publication'> | null> {
  if (id === null) return null;
  const job = trx.selectFrom('jobs').select(['model_version', 'publication']).where('id', '=', id);
  return (await job.executeTakeFirst()) ?? null;
}
