/** The state of a training job as a client has read it: its ETag, and its description in errors. */
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { contentTag } from '../conditional/etag.ts';
import type { CurrentState } from '../conditional/preconditions.ts';

export const jobStateTag = (job: TrainingJob) => contentTag(JSON.stringify(job));

export const describeJobState = (job: TrainingJob): CurrentState => ({
  tag: jobStateTag(job),
  description: `the training job ${job.id} has changed`,
});
