/** The table of jobs. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { JobStatus } from '../../components/feedback/job-status.tsx';
import { ProgressBar } from '../../components/feedback/progress-bar.tsx';
import { Table } from '../../components/table.tsx';
import { count, dateTime, layerText, percent } from '../../format.ts';
import { links } from '../../router.ts';

export interface JobTableProps {
  readonly jobs: readonly TrainingJob[];
  readonly selected: readonly string[];
  readonly onSelect: (id: string, isSelected: boolean) => void;
  /** Whether no further job can be selected. */
  readonly isFull: boolean;
}

export function JobTable({ jobs, selected, onSelect, isFull }: JobTableProps): JSX.Element {
  return (
    <Table
      caption="Training jobs"
      rows={jobs}
      keyOf={({ id }) => id}
      columns={[
        {
          name: <span class="visually-hidden">Select</span>,
          cell: ({ id, modelName }) => (
            <label class="check">
              <input
                type="checkbox"
                checked={selected.includes(id)}
                disabled={isFull && !selected.includes(id)}
                onChange={(event) => onSelect(id, event.currentTarget.checked)}
              />
              <span class="visually-hidden">
                Select <DatasetName id={modelName} />, {id}
              </span>
            </label>
          ),
        },
        {
          name: 'Model',
          cell: ({ id, modelName, search, verification }) => (
            <>
              <a class="name" href={links.job(id)}>
                <DatasetName id={modelName} />
              </a>
              <span class="note jobs-id">
                {verification ? 'verification' : search ? describeTrial(search.trial) : `…${id.slice(-6)}`}
              </span>
            </>
          ),
        },
        { name: 'Status', cell: (job) => <JobStatus job={job} /> },
        { name: 'Progress', cell: (job) => <Progress job={job} /> },
        {
          name: 'Accuracy',
          isNumber: true,
          cell: ({ best }) => (
            <>
              {percent(best && (best.validationAccuracy ?? best.trainAccuracy))}
              <span class="note jobs-id">
                {best && (best.validationAccuracy === null ? 'training' : 'validation')}
              </span>
            </>
          ),
        },
        {
          name: 'Network',
          cell: ({ network }) => `${layerText(network) || 'linear'}, ${network.activation}`,
        },
        {
          name: 'Data set',
          cell: ({ dataset }) => (
            <span class="jobs-dataset">
              <DatasetName id={dataset} />
            </span>
          ),
        },
        {
          name: 'Age',
          isNumber: true,
          cell: ({ createdAt }) => (
            <time dateTime={createdAt} title={dateTime(createdAt)}>
              {age(createdAt)}
            </time>
          ),
        },
      ]}
    />
  );
}

const describeTrial = (trial: number | null) => (trial === null ? 'final training' : `trial ${trial}`);

function Progress({ job: { progress, finishedAt, modelName } }: { readonly job: TrainingJob }): JSX.Element {
  const { epoch, epochs, fraction } = progress;
  if (finishedAt === null) return <ProgressBar label={`Progress of ${modelName}`} fraction={fraction} />;
  return (
    <span class="number">
      {count(epoch)}/{count(epochs)} epochs
    </span>
  );
}

/** Time since `iso` in its largest unit. */
export function age(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
