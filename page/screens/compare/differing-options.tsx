/** The options in which the requests of the jobs differ. */
import type { JSX } from 'preact';
import { flatten, toWords } from '../../../src/charts/plot-names.ts';
import { Table } from '../../components/table.tsx';
import { rebuildRequest } from '../job/tabs/request.ts';
import { optionName } from '../train/form/groups.ts';
import { jobColumns } from './job-columns.tsx';
import type { NamedJob } from './use-compared.ts';

/** `Optimizer: learning rate` for `training.optimizer.learningRate`; the names of metadata come from the user. */
function describePath(path: string): string {
  const [first = '', ...rest] = path.replace(/^(network|training)\./, '').split('.');
  const isMetadata = first === 'metadata';
  return [optionName(first), ...rest.map((name) => (isMetadata ? name : toWords(name)))].join(': ');
}

export function DifferingOptions({ jobs }: { readonly jobs: readonly NamedJob[] }): JSX.Element {
  const requests = jobs.map(({ job }) => flatten(rebuildRequest(job)));
  const paths = [...new Set(requests.flatMap((request) => [...request.keys()]))];
  const rows = paths
    .map((path) => ({ path, values: requests.map((request) => request.get(path) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
  return (
    <section class="box" aria-labelledby="options">
      <h2 id="options">Options that differ</h2>
      {rows.length === 0 ? (
        <p>All options are the same.</p>
      ) : (
        <Table
          caption="Options that differ"
          rows={rows}
          keyOf={({ path }) => path}
          columns={[
            { name: 'Option', cell: ({ path }) => describePath(path) },
            ...jobColumns(jobs, (row: (typeof rows)[number], i) => row.values[i]),
          ]}
        />
      )}
    </section>
  );
}
