/** Charts of a search: the objective by trial, by option and by rung. */
import type { JSX } from 'preact';
import { drawSearchHistory } from '../../../src/charts/searches/history.ts';
import { settingIndex, toOption } from '../../../src/charts/searches/options.ts';
import { drawSearchRungs } from '../../../src/charts/searches/rungs.ts';
import { drawSearchSlices } from '../../../src/charts/searches/slices.ts';
import { describeSearch, drawnValue } from '../../../src/charts/searches/trials.ts';
import type { Search, Trial } from '../../../src/domain/searches/representation.ts';
import { Chart } from '../../components/chart.tsx';
import { useDatasetName } from '../../state/dataset-names.ts';
import { type RungValues, rungTrials } from './rung-values.ts';
import { describeValue, fieldName } from './values.ts';

export interface ChartsProps {
  readonly path: string;
  readonly search: Search;
  readonly trials: readonly Trial[];
  readonly rungValues: RungValues;
}

export function Charts({ path, search, trials, rungValues }: ChartsProps): JSX.Element {
  const { id, vary, best, halving, rungs, modelName, objective } = search;
  const options = vary.map(({ path }) => fieldName(path));
  const byRung = rungTrials(rungValues, search);
  const name = useDatasetName(modelName);
  const height = vary.length > 2 ? 420 : 300;
  const input = { ...describeSearch(search, name), scaleName: 'linear' } as const;
  const inOrder = trials
    .map((trial) => ({
      number: trial.trial,
      value: drawnValue(trial, objective),
      settings: vary.map((variation) => settingIndex(variation, trial.values[variation.path])),
      texts: vary.map(({ path }) => describeValue(trial.values[path] ?? null)),
    }))
    .toSorted((a, b) => a.number - b.number);
  const table = {
    columns: ['trial', ...options, objective],
    rows: inOrder.map(({ number, texts, value }) => [number, ...texts, value]),
  };
  return (
    <section class="stack">
      <h2>Charts</h2>
      <div class="columns wide">
        <Chart
          height={height}
          draw={(options) =>
            drawSearchSlices(
              {
                ...input,
                best: best?.trial ?? null,
                options: vary.map((variation) =>
                  toOption(variation, fieldName(variation.path), describeValue),
                ),
                trials: inOrder,
              },
              options,
            )
          }
          table={table}
          plotPath={`${path}/plots/slices`}
          file={`slices-${id}`}
        />
        <Chart
          height={height}
          draw={(options) => drawSearchHistory({ ...input, trials: inOrder }, options)}
          table={table}
          plotPath={`${path}/plots/history`}
          file={`history-${id}`}
        />
        {halving !== null && (
          <Chart
            height={height}
            draw={(options) => drawSearchRungs({ ...input, rungs, trials: byRung }, options)}
            table={{
              columns: ['trial', ...options, ...rungs.map((epochs) => `${objective} after ${epochs} epochs`)],
              rows: inOrder.map(({ number, texts }) => [
                number,
                ...texts,
                ...rungs.map((_, rung) => byRung[number - 1]?.values[rung] ?? null),
              ]),
            }}
            plotPath={`${path}/plots/rungs`}
            file={`rungs-${id}`}
          />
        )}
      </div>
    </section>
  );
}
