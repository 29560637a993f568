/** Status of a job. It is called stopped if its search ended it. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { useStopReason } from '../../state/stopped-jobs.ts';
import { StatusMark } from './status-mark.tsx';

export function JobStatus({ job }: { readonly job: TrainingJob }): JSX.Element {
  return <StatusMark status={useStopReason(job) === null ? job.status : 'stopped'} />;
}
