/** The curves of several jobs in one chart. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { drawEpochs } from '../../../src/charts/epochs.ts';
import type { EpochPlot } from '../../../src/domain/reports/plots.ts';
import { Chart, type ChartTable } from '../../components/chart.tsx';
import { COLUMNS, type EpochColumn } from '../job/tabs/epoch-table.ts';
import { jobPath } from '../job/use-training.ts';
import type { NamedJob } from './use-compared.ts';

const PLOTS: Readonly<Record<EpochPlot, string>> = {
  loss: 'Loss',
  accuracy: 'Accuracy',
  'learning-rate': 'Learning rate',
  'gradient-norm': 'Gradient norm',
  'weight-norm': 'Weight norm',
};

export function Overlay({ jobs }: { readonly jobs: readonly NamedJob[] }): JSX.Element {
  const [plot, setPlot] = useState<EpochPlot>('loss');
  const [isLog, setLog] = useState(false);
  const started = jobs.filter(({ records }) => records.length > 0);
  const [first, ...others] = started.map(({ job }) => job.id);
  const overlaid = others.length > 0 ? [`with=${others.join(',')}`] : [];
  const options = [...overlaid, ...(isLog ? ['scale=log'] : [])].join('&');
  return (
    <Chart
      height={380}
      file={`compare-${plot}`}
      {...(first !== undefined && {
        plotPath: `${jobPath(first)}/plots/${plot}${options === '' ? '' : `?${options}`}`,
      })}
      table={buildTable(plot, started)}
      draw={(size) =>
        drawEpochs(
          plot,
          {
            subtitle: `${jobs.length} jobs`,
            trainings: started,
            scaleName: isLog ? 'log' : 'linear',
          },
          size,
        )
      }
    >
      <div class="actions">
        <label class="check compare-measure">
          Measure
          <select value={plot} onChange={(event) => setPlot(event.currentTarget.value as EpochPlot)}>
            {Object.entries(PLOTS).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={isLog} onChange={(event) => setLog(event.currentTarget.checked)} />
          Logarithmic
        </label>
      </div>
    </Chart>
  );
}

/** One row for each epoch, read only when it is shown or saved. */
function buildTable(plot: EpochPlot, jobs: readonly NamedJob[]): ChartTable {
  const column = comparedColumn(plot, jobs);
  return {
    columns: ['epoch', ...jobs.map(({ name }) => name)],
    get rows() {
      const epochs = Math.max(0, ...jobs.map(({ records }) => records.length));
      return Array.from({ length: epochs }, (_, i) => [
        i + 1,
        ...jobs.map(({ records }) => (records[i] === undefined ? null : column.value(records[i]))),
      ]);
    },
  };
}

/** The measure that the chart draws: of the validation images if all jobs have it. */
function comparedColumn(plot: EpochPlot, jobs: readonly NamedJob[]): EpochColumn {
  const [training, validation] = COLUMNS[plot];
  const isValidated = ({ records: [first] }: NamedJob) =>
    first !== undefined && validation !== undefined && validation.value(first) !== null;
  return validation !== undefined && jobs.every(isValidated) ? validation : training!;
}
