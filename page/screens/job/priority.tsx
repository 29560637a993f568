/** Priority of a job that has not ended, and how to change it. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { send } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { jobPath } from './use-training.ts';

export interface PriorityProps {
  readonly job: TrainingJob;
  readonly onChange: (job: TrainingJob) => void;
}

export function Priority({ job, onChange }: PriorityProps): JSX.Element {
  const [value, setValue] = useState(job.priority);
  const { problem, run } = useAction(async () => {
    onChange(await send(jobPath(job.id), { priority: value }, { method: 'PATCH' }));
  });
  return (
    <>
      <dt>
        <label for="priority">Priority</label>
      </dt>
      <dd>
        <form
          class="job-priority"
          onSubmit={(event) => {
            event.preventDefault();
            run();
          }}
        >
          <input
            id="priority"
            type="number"
            min={-10}
            max={10}
            required
            value={value}
            onInput={(event) => setValue(event.currentTarget.valueAsNumber)}
          />
          <Button type="submit" disabled={value === job.priority}>
            Change
          </Button>
        </form>
        {problem && (
          <p class="field-error" role="alert">
            {problem.errors[0]?.detail ?? problem.message}
          </p>
        )}
      </dd>
    </>
  );
}
