/** `atelier jobs` and `job`: training jobs, and searches and prediction jobs by their ids. */
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { PredictionJob } from '../../src/domain/predictions/job.ts';
import type { Search, Trial } from '../../src/domain/searches/representation.ts';
import type { Client } from '../client.ts';
import { defineCommand, printResult } from '../command.ts';
import { UsageError } from '../errors.ts';
import { describeVersion, followJob } from '../follow/job.ts';
import { formatLeaderboard } from '../follow/leaderboard.ts';
import { describeResult, followSearch } from '../follow/search.ts';
import { describeServed } from '../follow/served-version.ts';
import { findRun } from '../references.ts';
import { formatFigure, formatTable, formatTime, printable } from '../text.ts';

const readTrials = async (client: Client, id: string) =>
  (await client.json<{ data: Trial[] }>(`${findRun(id).path}/trials`)).data;
/** A job that succeeded is done, also if it ended early. */
const percent = ({ status, progress }: TrainingJob) =>
  `${status === 'succeeded' ? 100 : Math.floor(progress.fraction * 100)} %`;

/** Test accuracies: of the published version, and of the best epoch. */
const ACCURACIES = ['ACCURACY', 'AT BEST EPOCH'];

export const jobs = defineCommand({
  summary: 'List training jobs, newest first',
  parameters: [],
  options: {
    status: { type: 'string', value: 'STATUS', help: 'Only jobs of one status, such as running' },
    limit: { type: 'string', value: 'N', default: '20', help: 'Largest number of jobs, up to 100; 20' },
  },
  async run(context, _parameters, { status, limit }) {
    const query = new URLSearchParams({ limit, ...(status !== undefined && { status }) });
    const { client, json } = context;
    const page = await client.json<{ data: TrainingJob[] }>(`/v1/training-jobs?${query}`);
    const stopped = json ? new Set() : await listStopped(client, page.data);
    const names = json ? new Map() : await listDatasetNames(client);
    const rows = page.data.map((each) => [
      each.id,
      stopped.has(each.id) ? 'stopped' : each.status,
      percent(each),
      each.modelName,
      names.get(each.dataset) ?? each.dataset,
      formatFigure(each.publication?.testAccuracy),
      formatFigure(each.best?.testAccuracy),
      formatTime(each.createdAt),
    ]);
    const heading = ['JOB', 'STATUS', 'DONE', 'MODEL', 'DATA SET', ...ACCURACIES, 'CREATED (UTC)'];
    printResult(context, page, () => formatTable([heading, ...rows]));
    return 0;
  },
});

/** Display names of the newest uploaded data sets by their ids. */
async function listDatasetNames(client: Client): Promise<Map<string, string | null>> {
  const { data } = await client.json<{ data: DatasetSummary[] }>('/v1/datasets?limit=100');
  return new Map(data.map(({ id, name }) => [id, name]));
}

/** Cancelled jobs whose trials were stopped at a rung, or because their search finished. */
async function listStopped(client: Client, jobs: readonly TrainingJob[]): Promise<Set<string>> {
  const trials = jobs.filter(({ status, search }) => status === 'cancelled' && search?.trial != null);
  const ids = new Set(trials.map(({ search }) => search!.id));
  const leaderboards = await Promise.all(Array.from(ids, (id) => readTrials(client, id)));
  const stopped = leaderboards.flat().filter(({ status }) => status === 'stopped');
  return new Set(stopped.flatMap(({ jobs }) => jobs));
}

export const job = defineCommand({
  summary: 'Show a training job, a search or a prediction job',
  parameters: ['id'],
  options: {
    follow: { type: 'boolean', help: 'Show the progress until the end, as train and search do' },
  },
  async run(context, [id], { follow }) {
    const { client } = context;
    const { noun, path } = findRun(id!);
    if (noun === 'prediction job') {
      if (follow) throw new UsageError('A prediction job cannot be followed.');
      const predictions = await client.json<PredictionJob>(path);
      printResult(context, predictions, () => describePredictions(predictions));
      return 0;
    }
    if (noun === 'search') {
      const search = await client.json<Search>(path);
      if (follow) return followSearch(context, search);
      const trials = context.json ? [] : await readTrials(client, search.id);
      printResult(context, search, () => describeSearch(search, trials));
      return 0;
    }
    const found = await client.json<TrainingJob>(path);
    if (follow) return followJob(context, found);
    const stopped = await listStopped(client, [found]);
    const served = context.json || !found.model ? null : await describeServed(client, found.model);
    printResult(context, found, () =>
      [describeJob(found, stopped.has(found.id)), ...(served ? [served] : [])].join('\n'),
    );
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

function describePredictions(shown: PredictionJob): string {
  const { model, dataset, split, images, progress, accuracy, pauseReason, error } = shown;
  const rows = [
    ['prediction job', shown.id],
    ['status', shown.status],
    ['model', `${model.name}@${model.version}`],
    ['images', dataset === null ? `${images} of a file` : `${images} of the ${split} split of ${dataset}`],
    ['progress', `${Math.floor(progress.fraction * 100)} %`],
    ['accuracy', formatFigure(accuracy)],
    ...(pauseReason === null ? [] : [['paused because', pauseReason]]),
    ...(error ? [['error', `${error.message} (${error.code})`]] : []),
  ];
  return formatTable(rows);
}

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
