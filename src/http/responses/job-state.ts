/** The state of a training job as a client has read it: its ETag, and its description in errors. */
import type { TrainingJob } from '../../domain/training-job.ts';
import { contentTag } from '../plugins/etag.ts';
import type { CurrentState } from '../plugins/preconditions.ts';

export const jobStateTag = (job: TrainingJob) => contentTag(JSON.stringify(job));

export const describeJobState = (job: TrainingJob): CurrentState => ({
  tag: jobStateTag(job),
  description: `the training job ${job.id} has changed`,
});
