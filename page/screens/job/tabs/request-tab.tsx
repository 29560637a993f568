/** Tab: the request with every default filled in. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { AsCurl } from '../../../components/as-curl.tsx';
import { JsonView } from './json-view.tsx';
import { rebuildRequest } from './request.ts';

export function RequestTab({ job }: { readonly job: TrainingJob }): JSX.Element {
  const request = rebuildRequest(job);
  return (
    <div class="stack">
      <p>The request with every default filled in. It starts the same training again.</p>
      <JsonView label="Request" value={request} file={`request-${job.id}.json`} />
      <AsCurl request={{ method: 'POST', path: '/v1/training-jobs', body: request }} />
    </div>
  );
}
