/** Tab: the receipt, with everything that the digest of the parameters depends on. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { JsonView } from './json-view.tsx';

export function ReceiptTab({ job }: { readonly job: TrainingJob }): JSX.Element {
  const { receipt } = job;
  if (receipt === null) {
    return <p>{job.finishedAt === null ? 'A job has a receipt once it has ended.' : 'The job never ran.'}</p>;
  }
  const { dataset, kernel, fused, stoppedAt, mixed, digest } = receipt;
  return (
    <div class="stack">
      <p>
        Everything that the parameters depend on. Verify trains again from it and compares the two digests.
        {mixed && ' The job continued in another environment, so no single machine gives the same digest.'}
      </p>
      <dl class="facts">
        <dt>Parameters</dt>
        <dd>
          <code>{digest ?? '–'}</code>
        </dd>
        <dt>Data set</dt>
        <dd>
          {dataset.id} <code>{dataset.digest}</code>
        </dd>
        <dt>Kernel</dt>
        <dd>
          {kernel.name} <code>{kernel.digest}</code>
        </dd>
        <dt>Multiply-adds</dt>
        <dd>{fused ? 'rounded once (fused)' : 'rounded twice'}</dd>
        <dt>Stopped</dt>
        <dd>
          step {stoppedAt.step.toLocaleString('en')}, {stoppedAt.reason}
        </dd>
      </dl>
      <JsonView label="Receipt" value={receipt} file={`receipt-${job.id}.json`} />
    </div>
  );
}
