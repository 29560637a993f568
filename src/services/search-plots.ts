/** Plots of a search: the history of its objective, slices by option, rungs. */
import type { PlotQuery, SearchPlot, SearchPlotQuery } from '../domain/plots.ts';
import { type ListedTrial, rankTrials } from '../domain/search/leaderboard.ts';
import type { Objective, Variation } from '../domain/search/request.ts';
import type { Search } from '../domain/search/search.ts';
import { parsePath } from '../domain/search/trial-request.ts';
import { AtelierError } from '../errors.ts';
import type { ChartOptions } from '../formats/charts/figure.ts';
import type { VNode } from '../formats/charts/preact.d.ts';
import { renderSvg } from '../formats/charts/render.ts';
import { drawSearchHistory } from '../formats/charts/search-history.ts';
import { drawSearchRungs } from '../formats/charts/search-rungs.ts';
import { drawSearchSlices, type SearchOption } from '../formats/charts/search-slices.ts';
import type { SearchObjective } from '../formats/charts/search-trials.ts';
import { THEMES } from '../formats/charts/theme.ts';
import type { Plot } from './plots.ts';

const DEFAULT_HEIGHT = 360;

/** Percentages are drawn as such. */
const OBJECTIVES: Readonly<Record<Objective, SearchObjective & { readonly factor: number }>> = {
  validationLoss: { label: 'Validation loss (nats)', lowerIsBetter: true, factor: 1 },
  validationAccuracy: {
    label: 'Correct predictions (% of the validation images)',
    lowerIsBetter: false,
    factor: 100,
  },
};

/** @throws AtelierError `impossible-request` before the first result */
export function drawSearchPlot(
  plot: SearchPlot,
  search: Search,
  trials: readonly ListedTrial[],
  query: SearchPlotQuery,
): Plot {
  if (search.best === null) {
    const detail = `Search ${search.id} is ${search.status} and has no result to draw.`;
    const advice = search.finishedAt === null ? ' Try again after its first trial has a result.' : '';
    throw new AtelierError('impossible-request', detail + advice, {
      details: [{ parameter: 'id', detail: 'must be a search with a result' }],
    });
  }
  const options = toOptions(query);
  const drawn = DRAW[plot](search, trials, query, options);
  return { svg: renderSvg(drawn), width: options.width, height: options.height };
}

const toOptions = ({ width, height, theme }: PlotQuery): ChartOptions => ({
  width,
  height: height ?? DEFAULT_HEIGHT,
  theme: THEMES[theme],
});

type Draw = (
  search: Search,
  trials: readonly ListedTrial[],
  query: SearchPlotQuery,
  options: ChartOptions,
) => VNode;

const DRAW: Readonly<Record<SearchPlot, Draw>> = {
  history: (search, trials, { scale }, options) =>
    drawSearchHistory({ ...captionOf(search), scale, trials: valuesOf(search, trials) }, options),

  slices: (search, trials, { scale }, options) => {
    const values = new Map(valuesOf(search, trials).map(({ number, value }) => [number, value]));
    return drawSearchSlices(
      {
        ...captionOf(search),
        scale,
        best: search.best?.trial ?? null,
        options: search.vary.map(toOption),
        trials: trials.map(({ trial, setting }) => ({
          number: trial,
          value: values.get(trial) ?? null,
          settings: search.vary.map((variation, i) => settingOf(variation, setting[i])),
        })),
      },
      options,
    );
  },

  rungs: (search, trials, { scale }, options) =>
    drawSearchRungs(
      {
        ...captionOf(search),
        scale,
        rungs: search.rungs,
        trials: trials.map((trial) => ({ number: trial.trial, values: rungValues(trial, search.objective) })),
      },
      options,
    ),
};

function captionOf({ id, modelName, objective, halving }: Search) {
  const notes = halving === null ? [] : ['The value of a stopped trial is that of its last rung.'];
  return { subtitle: `${modelName} · ${id}`, objective: OBJECTIVES[objective], notes };
}

/** The objective of each trial at the last rung that it reached, in order of their numbers. */
function valuesOf(search: Search, trials: readonly ListedTrial[]) {
  const { factor } = OBJECTIVES[search.objective];
  return rankTrials(trials, search, search.validationImages)
    .map(({ trial, rank, value }) => ({
      number: trial,
      value: rank === null || value === null ? null : value * factor,
    }))
    .toSorted((a, b) => a.number - b.number);
}

/** Means of the objective over the repeats, at each rung that all of them have reached. */
function rungValues({ runs }: ListedTrial, objective: Objective): number[] {
  const { factor } = OBJECTIVES[objective];
  const reached = Math.min(...runs.map(({ measured }) => measured.length));
  return Array.from({ length: reached }, (_, rung) => {
    const sum = runs.reduce((total, { measured }) => total + measured[rung]![objective], 0);
    return (factor * sum) / runs.length;
  });
}

function toOption({ path, choices, scale }: Variation): SearchOption {
  const name = parsePath(path).at(-1)!;
  if (choices === undefined) return { name, kind: scale ?? 'linear', choices: [] };
  return { name, kind: 'choices', choices: choices.map(describeChoice) };
}

/** Lists of units as `40-20`; other values as JSON, without quotation marks. */
function describeChoice(choice: unknown): string {
  if (Array.isArray(choice)) return choice.join('-') || 'none';
  return JSON.stringify(choice).replaceAll('"', '');
}

/** A number of a range, or the index of a choice. */
function settingOf({ choices }: Variation, value: unknown): number {
  if (choices === undefined) return value as number;
  const text = JSON.stringify(value);
  return choices.findIndex((choice) => JSON.stringify(choice) === text);
}
