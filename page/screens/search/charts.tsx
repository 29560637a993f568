/** Charts of a search: the objective by trial and by option, drawn here, and by rung, drawn by the service. */
import type { JSX } from 'preact';
import type { Search, Trial } from '../../../src/domain/search/search.ts';
import { drawSearchHistory } from '../../../src/formats/charts/search-history.ts';
import { settingOf, toOption } from '../../../src/formats/charts/search-options.ts';
import { drawSearchSlices } from '../../../src/formats/charts/search-slices.ts';
import { describeSearch, drawnValue } from '../../../src/formats/charts/search-trials.ts';
import { Chart } from '../../components/chart.tsx';
import { DownloadLink } from '../../components/download-link.tsx';
import { ApiImage } from '../../components/image28.tsx';
import { count } from '../../format.ts';
import { shownTheme } from '../../state/theme.ts';
import { describeValue, nameOf } from './values.ts';

export interface ChartsProps {
  readonly path: string;
  readonly search: Search;
  readonly trials: readonly Trial[];
}

export function Charts({ path, search, trials }: ChartsProps): JSX.Element {
  const { id, vary, best, halving, modelName, objective } = search;
  const height = vary.length > 2 ? 420 : 300;
  const input = { ...describeSearch(search, modelName), scale: 'linear' } as const;
  const inOrder = trials
    .map((trial) => ({
      number: trial.trial,
      value: drawnValue(trial, objective),
      settings: vary.map((variation) => settingOf(variation, trial.values[variation.path])),
      texts: vary.map(({ path }) => describeValue(trial.values[path] ?? null)),
    }))
    .toSorted((a, b) => a.number - b.number);
  const table = {
    columns: ['trial', ...vary.map(({ path }) => nameOf(path)), objective],
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
                options: vary.map((variation) => toOption(variation, nameOf(variation.path), describeValue)),
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
        {halving !== null && <Rungs path={path} search={search} />}
      </div>
    </section>
  );
}

/** In pixels, as in page.css. */
const RUNGS_HEIGHT = 300;

/** The objective at each rung is not part of the trials, so the service draws it. */
function Rungs({ path, search }: Omit<ChartsProps, 'trials'>): JSX.Element {
  const { id, rungs, progress } = search;
  const plot = `${path}/plots/rungs`;
  const width = Math.min(560, document.documentElement.clientWidth - 60);
  return (
    <figure class="chart">
      <div class="chart-area">
        <ApiImage
          className="search-rungs"
          key={progress.epochs}
          path={`${plot}?theme=${shownTheme.value}&width=${width}&height=${RUNGS_HEIGHT}`}
          alt={`The objective of each trial after ${rungs.join(', ')} epochs.`}
        />
      </div>
      <figcaption>{`${count(progress.stopped)} of ${count(progress.trials)} trials were stopped at a rung.`}</figcaption>
      <div class="links search-files">
        <DownloadLink name="SVG" file={`rungs-${id}.svg`} from={{ path: `${plot}?format=svg` }} />
        <DownloadLink name="PNG" file={`rungs-${id}.png`} from={{ path: `${plot}?format=png&density=2` }} />
      </div>
    </figure>
  );
}
