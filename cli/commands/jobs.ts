/** `atelier jobs`, `job` and `cancel`: training jobs, and searches by their ids. */

import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Search, Trial } from '../../src/domain/searches/representation.ts';
import type { Client } from '../client.ts';
import { defineCommand, printResult } from '../command.ts';
import { describeVersion, followJob } from '../follow/job.ts';
import { formatLeaderboard } from '../follow/leaderboard.ts';
import { describeResult, followSearch } from '../follow/search.ts';
import { formatFigure, formatTable, formatTime, printable } from '../text.ts';

const jobPath = (id: string) => `/v1/training-jobs/${encodeURIComponent(id)}`;
const isSearch = (id: string) => id.startsWith('sea_');
const searchPath = (id: string) => `/v1/searches/${encodeURIComponent(id)}`;
const readTrials = async (client: Client, id: string) =>
  (await client.json<{ data: Trial[] }>(`${searchPath(id)}/trials`)).data;
/** A job that succeeded is done, also if it ended early. */
const percent = ({ status, progress }: TrainingJob) =>
  `${status === 'succeeded' ? 100 : Math.floor(progress.fraction * 100)} %`;

export const jobs = defineCommand({
  summary: 'List training jobs, newest first',
  parameters: [],
  options: {
    status: { type: 'string', value: 'STATUS', help: 'Only jobs of one status, such as running' },
    limit: { type: 'string', value: 'N', default: '20', help: 'Largest number of jobs, up to 100; 20' },
  },
  async run(context, _parameters, { status, limit }) {
    const query = new URLSearchParams({ limit, ...(status !== undefined && { status }) });
    const page = await context.client.json<{ data: TrainingJob[] }>(`/v1/training-jobs?${query}`);
    const stopped = context.json ? new Set() : await listStopped(context.client, page.data);
    const rows = page.data.map((each) => [
      each.id,
      stopped.has(each.id) ? 'stopped' : each.status,
      percent(each),
      each.modelName,
      formatFigure(each.publication?.testAccuracy),
      formatFigure(each.best?.testAccuracy),
      formatTime(each.createdAt),
    ]);
    const heading = ['JOB', 'STATUS', 'DONE', 'MODEL', 'ACCURACY', 'BEST EPOCH', 'CREATED (UTC)'];
    printResult(context, page, () => formatTable([heading, ...rows]));
    return 0;
  },
});

/** Cancelled jobs whose trials were stopped at a rung, or because their search finished. */
async function listStopped(client: Client, jobs: readonly TrainingJob[]): Promise<Set<string>> {
  const trials = jobs.filter(({ status, search }) => status === 'cancelled' && search?.trial != null);
  const ids = new Set(trials.map(({ search }) => search!.id));
  const leaderboards = await Promise.all(Array.from(ids, (id) => readTrials(client, id)));
  const stopped = leaderboards.flat().filter(({ status }) => status === 'stopped');
  return new Set(stopped.flatMap(({ jobs }) => jobs));
}

export const job = defineCommand({
  summary: 'Show a training job or a search',
  parameters: ['id'],
  options: {
    follow: { type: 'boolean', help: 'Show the progress until the end, as train and search do' },
  },
  async run(context, [id], { follow }) {
    const { client } = context;
    if (isSearch(id!)) {
      const search = await client.json<Search>(searchPath(id!));
      if (follow) return followSearch(context, search);
      const trials = context.json ? [] : await readTrials(client, search.id);
      printResult(context, search, () => describeSearch(search, trials));
      return 0;
    }
    const found = await client.json<TrainingJob>(jobPath(id!));
    if (follow) return followJob(context, found);
    const stopped = await listStopped(client, [found]);
    printResult(context, found, () => describeJob(found, stopped.has(found.id)));
    return 0;
  },
});

function describeSearch(search: Search, trials: readonly Trial[]): string {
  const { id, status, modelName, progress, finalJob, finishedAt } = search;
  const rows = [
    ['search', id],
    ['status', status],
    ['model', modelName],
    ['progress', `${progress.epochs} of at most ${progress.plannedEpochs} epochs`],
    ...(finalJob === null ? [] : [['final job', finalJob]]),
  ];
  const result = finishedAt === null ? [] : [printable(describeResult(search))];
  return [formatTable(rows), formatLeaderboard(search, trials), ...result].join('\n');
}

export const cancel = defineCommand({
  summary: 'Cancel a training job or a search',
  parameters: ['id'],
  options: {},
  async run(context, [id]) {
    // A repeated cancellation of a cancelled job is an error.
    const options = { method: 'POST', repeatable: false };
    const path = isSearch(id!) ? searchPath(id!) : jobPath(id!);
    const cancelled = await context.client.json<TrainingJob | Search>(`${path}/cancel`, options);
    const subject = isSearch(id!) ? 'search' : 'job';
    printResult(context, cancelled, () => `The ${subject} is ${cancelled.status}.`);
    return 0;
  },
});

function describeJob(shown: TrainingJob, isStopped: boolean): string {
  const { status, waiting, progress, best, latest, model, publication, error } = shown;
  const epoch = (record: TrainingJob['best']) =>
    record &&
    `epoch ${record.epoch}, validation accuracy ${formatFigure(record.validationAccuracy)}, test accuracy ${formatFigure(record.testAccuracy)}`;
  const rows: [string, string | null][] = [
    ['job', shown.id],
    ['status', isStopped ? 'stopped by its search' : status + (waiting ? `, waiting for ${waiting}` : '')],
    ['priority', String(shown.priority)],
    ['preempted by', shown.preemptedBy],
    ['data set', shown.dataset],
    ['progress', `${percent(shown)}, epoch ${progress.epoch} of ${progress.epochs}`],
    ['latest', epoch(latest)],
    ['best', epoch(best)],
    ['created', formatTime(shown.createdAt)],
    ['started', formatTime(shown.startedAt)],
    ['finished', formatTime(shown.finishedAt)],
    ['model', model ? describeVersion(model, publication) : shown.modelName],
    ['paused because', shown.pauseReason],
    ['error', error && `${error.message} (${error.code})`],
  ];
  return formatTable(rows.flatMap(([name, value]) => (value === null ? [] : [[name, printable(value)]])));
}
