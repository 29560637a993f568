/** Tab: the checkpoints of a job. Other trainings can start from them. */
import type { JSX } from 'preact';
import type { CheckpointRecord } from '../../../../src/domain/jobs/checkpoint.ts';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { useResource } from '../../../api/use-resource.ts';
import { Loaded } from '../../../components/feedback/loaded.tsx';
import { Table } from '../../../components/table.tsx';
import { bytes, count, dateTime, significant } from '../../../format.ts';
import { jobPath } from '../use-training.ts';
import { rebuildRequest, trainLink } from './request.ts';

export function CheckpointsTab({ job }: { readonly job: TrainingJob }): JSX.Element {
  const checkpoints = useResource<{ data: CheckpointRecord[] }>(`${jobPath(job.id)}/checkpoints`, {
    ...(job.status === 'running' && { pollMs: 3000 }),
  });
  const referenceOf = ({ step }: CheckpointRecord) => `${job.id}@${step}`;
  return (
    <Loaded resource={checkpoints}>
      {({ data }) =>
        data.length === 0 ? (
          <p>The job has no checkpoint.</p>
        ) : (
          <Table
            caption="Checkpoints"
            rows={data}
            keyOf={({ step }) => step}
            columns={[
              { name: 'Epoch', isNumber: true, cell: ({ epoch }) => count(epoch) },
              { name: 'Step', isNumber: true, cell: ({ step }) => count(step) },
              { name: 'Loss', isNumber: true, cell: ({ loss }) => significant(loss) },
              { name: 'Size', isNumber: true, cell: (checkpoint) => bytes(checkpoint.bytes) },
              { name: 'Written', cell: ({ createdAt }) => dateTime(createdAt) },
              {
                name: 'Reference',
                cell: (checkpoint) => <code>{referenceOf(checkpoint)}</code>,
              },
              {
                name: 'Use',
                cell: (checkpoint) => (
                  <a href={trainLink({ ...rebuildRequest(job), warmStart: referenceOf(checkpoint) })}>
                    Train from it<span class="visually-hidden">, step {checkpoint.step}</span>
                  </a>
                ),
              },
            ]}
          />
        )
      }
    </Loaded>
  );
}
