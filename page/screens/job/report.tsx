/** The lab report of an ended job, as files. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { DownloadLink } from '../../components/download-link.tsx';
import { jobPath } from './use-training.ts';

const FORMATS = [
  { name: 'HTML', extension: 'html', accept: 'text/html' },
  { name: 'Markdown', extension: 'md', accept: 'text/markdown' },
  { name: 'JSON', extension: 'json', accept: 'application/json' },
] as const;

export function Report({ job }: { readonly job: TrainingJob }): JSX.Element {
  return (
    <p class="links job-report">
      <strong>Report</strong>
      {FORMATS.map(({ name, extension, accept }) => (
        <DownloadLink
          key={name}
          name={name}
          file={`report-${job.id}.${extension}`}
          from={{ path: `${jobPath(job.id)}/report`, accept }}
        />
      ))}
      <span class="note">
        It takes about three times as long as the training.
        {job.testSet !== 'never' &&
          job.model !== null &&
          ' The first evaluation of a version counts as a look at the test set.'}
      </span>
    </p>
  );
}
