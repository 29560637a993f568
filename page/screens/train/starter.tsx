/** The starter job, while the first network of an empty store is being trained. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { useResource } from '../../api/use-resource.ts';
import { loadScreens, screens } from '../../load-screens.ts';

const ENDED = ['succeeded', 'failed', 'cancelled'];

/** Shows nothing if the newest job is another one, or has ended before the visit. The form does not wait for the charts. */
export function Starter(): JSX.Element | null {
  const { data } = useResource<{ data: readonly TrainingJob[] }>('/v1/training-jobs?limit=1', {
    isRecorded: false,
  });
  const job = data?.data[0];
  const isStarter = job?.metadata['startedBy'] === 'STARTER_JOB' && !ENDED.includes(job.status);
  useEffect(() => {
    if (isStarter) void loadScreens();
  }, [isStarter]);
  const { StarterCurve } = screens.value ?? {};
  return isStarter && StarterCurve ? <StarterCurve job={job} /> : null;
}
