/** Results of the compared jobs, one column each. */
import type { ComponentChildren, JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { JobStatus } from '../../components/feedback/job-status.tsx';
import { Table } from '../../components/table.tsx';
import { count, duration, percent, significant } from '../../format.ts';
import { links } from '../../router.ts';
import { jobColumns } from './job-columns.tsx';
import type { NamedJob } from './use-compared.ts';

const ROWS: readonly { name: string; cell: (compared: NamedJob) => ComponentChildren }[] = [
  { name: 'Status', cell: ({ job }) => <JobStatus job={job} /> },
  { name: 'Epochs', cell: ({ records }) => count(records.length) },
  { name: 'Best epoch', cell: ({ job }) => job.best && count(job.best.epoch) },
  { name: 'Validation loss', cell: ({ job }) => significant(job.best?.validationLoss ?? null) },
  { name: 'Validation accuracy', cell: ({ job }) => percent(job.best?.validationAccuracy ?? null) },
  { name: 'Training loss', cell: ({ job }) => significant(job.best?.trainLoss ?? null) },
  { name: 'Training accuracy', cell: ({ job }) => percent(job.best?.trainAccuracy ?? null) },
  {
    name: 'Test accuracy',
    cell: ({ job }) => percent(job.best?.testAccuracy ?? job.publication?.testAccuracy ?? null),
  },
  { name: 'Duration', cell: ({ job }) => duration(elapsedSeconds(job)) },
  {
    name: 'Model',
    cell: ({ job: { model } }) =>
      model ? (
        <a href={links.modelVersion(model.name, model.version)}>
          <DatasetName id={model.name} />@{model.version}
        </a>
      ) : (
        '–'
      ),
  },
];

export function Results({ jobs }: { readonly jobs: readonly NamedJob[] }): JSX.Element {
  return (
    <section class="box" aria-labelledby="results">
      <h2 id="results">Results at the best epoch</h2>
      <Table
        caption="Results"
        rows={ROWS}
        keyOf={({ name }) => name}
        columns={[
          { name: 'Result', cell: ({ name }) => name },
          ...jobColumns(jobs, (row: (typeof ROWS)[number], i) => row.cell(jobs[i]!)),
        ]}
      />
    </section>
  );
}

function elapsedSeconds({ startedAt, finishedAt }: TrainingJob): number | null {
  return startedAt === null || finishedAt === null
    ? null
    : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
}
