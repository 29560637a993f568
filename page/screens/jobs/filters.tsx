/** Filters of the list of jobs, kept in the address. */
import type { JSX } from 'preact';
import type { JobStatus } from '../../../src/domain/jobs/status.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { Field } from '../../components/field.tsx';
import { dateTime } from '../../format.ts';
import { parameter, setParameters } from '../../state/parameters.ts';

const STATUSES = [
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const satisfies readonly JobStatus[];

/** A filter begins at the first page. */
const filter = (name: string, value: string) => setParameters({ [name]: value.trim(), after: '' });

export function Filters({ searches }: { readonly searches: readonly Search[] }): JSX.Element {
  const isListed = ['', 'none', ...searches.map(({ id }) => id)].includes(parameter('search'));
  return (
    <form class="jobs-filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <Field id="jobs-status" label="Status">
        {(attributes) => (
          <select
            {...attributes}
            value={parameter('status')}
            onChange={(event) => filter('status', event.currentTarget.value)}
          >
            <option value="">all</option>
            {STATUSES.map((status) => (
              <option key={status}>{status}</option>
            ))}
          </select>
        )}
      </Field>
      <Field id="jobs-model" label="Model">
        {(attributes) => (
          <input
            {...attributes}
            value={parameter('modelName')}
            placeholder="all"
            maxLength={64}
            onChange={(event) => filter('modelName', event.currentTarget.value)}
          />
        )}
      </Field>
      <Field id="jobs-search" label="Search">
        {(attributes) => (
          <select
            {...attributes}
            value={parameter('search')}
            onChange={(event) => filter('search', event.currentTarget.value)}
          >
            <option value="">all</option>
            <option value="none">of no search</option>
            {!isListed && <option>{parameter('search')}</option>}
            {searches.map(({ id, modelName, createdAt }) => (
              <option key={id} value={id}>
                <DatasetName id={modelName} />, {dateTime(createdAt)}
              </option>
            ))}
          </select>
        )}
      </Field>
    </form>
  );
}
