/** Curves of a job by epoch, with marks for the best epoch and the warnings, and one cursor for all of them. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { drawEpochs } from '../../../../src/charts/epochs.ts';
import type { Mark } from '../../../../src/charts/parts/marks.ts';
import type { EpochRecord } from '../../../../src/domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import type { EpochPlot } from '../../../../src/domain/reports/plots.ts';
import { Chart } from '../../../components/chart.tsx';
import { parameter, setParameters } from '../../../state/parameters.ts';
import type { Training, TrainingWarning } from '../use-training.ts';
import { bestEpoch } from './best-epoch.ts';
import { EpochCursor } from './epoch-cursor.tsx';
import { epochTable } from './epoch-table.ts';

export interface CurvesProps {
  readonly job: TrainingJob;
  readonly training: Training;
}

/** Rows of the numbers under a chart; the CSV file has all of them. */
const MAX_ROWS = 500;
const MORE = ['learning-rate', 'gradient-norm', 'weight-norm'] as const satisfies readonly EpochPlot[];

export function Curves({ job, training }: CurvesProps): JSX.Element {
  const { records, warnings, path } = training;
  /** Null follows the last epoch. */
  const [chosen, setChosen] = useState<number | null>(null);
  const [isMoreOpen, setMoreOpen] = useState(false);
  const scale = parameter('scale') === 'log' ? 'log' : 'linear';
  const best = bestEpoch(records);
  const marks: Mark[] = warnings.flatMap(({ epoch }) =>
    epoch === undefined ? [] : [{ x: epoch, kind: 'warning' as const }],
  );
  if (best !== null) marks.push({ x: best, kind: 'best' });
  if (chosen !== null) marks.push({ x: chosen, kind: 'cursor' });

  const chart = (plot: EpochPlot, isLog: boolean, children?: JSX.Element) => (
    <Chart
      key={plot}
      file={`${plot}-${job.id}`}
      plotPath={records.length > 0 ? `${path}/plots/${plot}${isLog ? '?scale=log' : ''}` : undefined}
      csvPath={`${path}/metrics`}
      table={{
        columns: ['Epoch', ...epochTable(plot, records).map(({ name }) => name)],
        // Read only when the table is open.
        get rows() {
          const columns = epochTable(plot, records);
          return records
            .slice(-MAX_ROWS)
            .map((record) => [record.epoch, ...columns.map(({ value }) => value(record))]);
        },
      }}
      draw={(options) =>
        drawEpochs(
          plot,
          {
            subtitle: '',
            trainings: [{ name: job.modelName, records }],
            scaleName: isLog ? 'log' : 'linear',
            testLooks: records.filter(({ testLoss }) => testLoss !== null).length,
            marks,
          },
          options,
        )
      }
    >
      {children}
    </Chart>
  );

  return (
    <div class="stack">
      <div class="columns">
        {chart(
          'loss',
          scale === 'log',
          <label class="check">
            <input
              type="checkbox"
              checked={scale === 'log'}
              onChange={(event) => setParameters({ scale: event.currentTarget.checked ? 'log' : '' })}
            />
            Logarithmic
          </label>,
        )}
        {chart('accuracy', false)}
      </div>
      {records.length === 0 ? (
        <p class="note">{describeEmpty(job)}</p>
      ) : (
        <EpochCursor records={records} chosen={chosen} onChoose={setChosen} />
      )}
      <p class="note">{describeMarks(best, warnings, records)}</p>
      <details onToggle={(event) => setMoreOpen(event.currentTarget.open)}>
        <summary>Learning rate and norms</summary>
        {isMoreOpen && <div class="columns">{MORE.map((plot) => chart(plot, false))}</div>}
      </details>
    </div>
  );
}

function describeEmpty({ status, finishedAt }: TrainingJob): string {
  if (finishedAt !== null) return 'The job ended before its first epoch.';
  return status === 'queued'
    ? 'The job is waiting for a free slot. Its curves appear here.'
    : 'The curves appear here with the first epoch.';
}

function describeMarks(
  best: number | null,
  warnings: readonly TrainingWarning[],
  [first]: readonly EpochRecord[],
): string {
  const epochs = [...new Set(warnings.flatMap(({ epoch }) => epoch ?? []))];
  return [
    best !== null &&
      `◆ Best epoch: ${best}, with the lowest ${first?.validationLoss === null ? 'training' : 'validation'} loss.`,
    epochs.length > 0 &&
      `▲ Warnings at ${epochs.length === 1 ? 'epoch' : 'epochs'} ${epochs.slice(0, 10).join(', ')}${epochs.length > 10 ? ', …' : ''}.`,
  ]
    .filter(Boolean)
    .join(' ');
}
