/** The curve of the starter job. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { drawEpochs } from '../../../src/charts/epochs.ts';
import type { EpochRecord } from '../../../src/domain/jobs/epoch-record.ts';
import type { JobEvent, TrainingJob } from '../../../src/domain/jobs/training.ts';
import { useEvents } from '../../api/event-stream.ts';
import { Chart } from '../../components/chart.tsx';
import { significant } from '../../format.ts';
import { links } from '../../router.ts';

export function StarterCurve({ job: { id, modelName } }: { readonly job: TrainingJob }): JSX.Element {
  const [records, setRecords] = useState<readonly EpochRecord[]>([]);
  const [status, setStatus] = useState('running');
  useEvents<JobEvent>(`/v1/training-jobs/${id}/events`, {
    onEvent: ({ type, data }) => {
      if (type === 'epoch') setRecords((old) => [...old, data as unknown as EpochRecord]);
      if (type === 'status') setStatus(String(data['to']));
    },
  });
  const input = {
    subtitle: modelName,
    trainings: [{ name: modelName, records }],
    scaleName: 'linear',
  } as const;
  return (
    <section class="box" aria-labelledby="starter">
      <h2 id="starter">The first network</h2>
      <p>
        {status === 'succeeded'
          ? 'The first network has been trained. '
          : 'The service trains a first network, so you have a model to try. '}
        <a href={links.job(id)}>Watch the job</a>
        {status === 'succeeded' && (
          <>
            {' · '}
            <a href={links.try(modelName)}>Try it</a>
          </>
        )}
      </p>
      <Chart
        file={`loss-${id}`}
        height={240}
        draw={(options) => drawEpochs('loss', input, options)}
        plotPath={records.length > 0 ? `/v1/training-jobs/${id}/plots/loss` : undefined}
        table={{
          columns: ['epoch', 'trainLoss', 'validationLoss', 'testLoss'],
          rows: records.map(({ epoch, trainLoss, validationLoss, testLoss }) => [
            epoch,
            significant(trainLoss),
            significant(validationLoss),
            significant(testLoss),
          ]),
        }}
      />
    </section>
  );
}
