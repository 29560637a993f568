/** One column for each compared job. Its header links to the job. */
import type { ComponentChildren } from 'preact';
import { DatasetName } from '../../components/dataset-name.tsx';
import type { Column } from '../../components/table.tsx';
import { links } from '../../router.ts';
import type { NamedJob } from './use-compared.ts';

export const jobColumns = <Row,>(
  jobs: readonly NamedJob[],
  cell: (row: Row, index: number) => ComponentChildren,
): Column<Row>[] =>
  jobs.map(({ job, name }, i) => ({
    name: (
      <>
        <a href={links.job(job.id)}>
          <DatasetName id={job.modelName} />
        </a>
        <span class={`note compare-name series-${i + 1}`}>{name}</span>
      </>
    ),
    isNumber: true,
    cell: (row) => cell(row, i),
  }));
