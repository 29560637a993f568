/** `atelier jobs`, `job` and `cancel`: training jobs. */
import type { TrainingJob } from '../../src/domain/training-job.ts';
import { defineCommand, printResult } from '../command.ts';
import { describeVersion, followJob } from '../follow-job.ts';
import { formatFigure, formatTable, formatTime, printable } from '../text.ts';

const jobPath = (id: string) => `/v1/training-jobs/${encodeURIComponent(id)}`;
const percent = ({ progress }: TrainingJob) => `${Math.floor(progress.fraction * 100)} %`;

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
    const rows = page.data.map((each) => [
      each.id,
      each.status,
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

export const job = defineCommand({
  summary: 'Show a training job',
  parameters: ['id'],
  options: {
    follow: { type: 'boolean', help: 'Show the progress until the job ends, as train --follow does' },
  },
  async run(context, [id], { follow }) {
    const found = await context.client.json<TrainingJob>(jobPath(id!));
    if (follow) return followJob(context, found);
    printResult(context, found, () => describeJob(found));
    return 0;
  },
});

export const cancel = defineCommand({
  summary: 'Cancel a training job',
  parameters: ['id'],
  options: {},
  async run(context, [id]) {
    // A repeated cancellation of a cancelled job is an error.
    const options = { method: 'POST', repeatable: false };
    const cancelled = await context.client.json<TrainingJob>(`${jobPath(id!)}/cancel`, options);
    printResult(context, cancelled, () => `The job is ${cancelled.status}.`);
    return 0;
  },
});

function describeJob(shown: TrainingJob): string {
  const { progress, best, latest, model, publication, error } = shown;
  const epoch = (record: TrainingJob['best']) =>
    record &&
    `epoch ${record.epoch}, validation accuracy ${formatFigure(record.validationAccuracy)}, test accuracy ${formatFigure(record.testAccuracy)}`;
  const rows: [string, string | null][] = [
    ['job', shown.id],
    ['status', shown.status + (shown.waiting ? `, waiting for ${shown.waiting}` : '')],
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
