/** Filters of the list of jobs, kept in the address. */
import type { JSX } from 'preact';
import type { JobStatus } from '../../../src/domain/job-status.ts';
import { Field } from '../../components/field.tsx';
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

export function Filters(): JSX.Element {
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
            {!['', 'none'].includes(parameter('search')) && <option>{parameter('search')}</option>}
          </select>
        )}
      </Field>
    </form>
  );
}
