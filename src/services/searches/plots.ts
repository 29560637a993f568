/** Plots of a search: the history of its objective, slices by option, rungs. */

import type { ChartOptions } from '../../charts/parts/figure.ts';
import type { VNode } from '../../charts/preact.d.ts';
import { drawSearchHistory } from '../../charts/searches/history.ts';
import { settingIndex, toOption } from '../../charts/searches/options.ts';
import { drawSearchRungs } from '../../charts/searches/rungs.ts';
import { drawSearchSlices } from '../../charts/searches/slices.ts';
import { describeSearch, drawnValue, OBJECTIVES } from '../../charts/searches/trials.ts';
import type { SearchPlot, SearchPlotQuery } from '../../domain/reports/plots.ts';
import { type ListedTrial, rankTrials } from '../../domain/searches/leaderboard.ts';
import type { Search } from '../../domain/searches/representation.ts';
import type { Objective } from '../../domain/searches/request.ts';
import { parsePath } from '../../domain/searches/trial-request.ts';
import { AtelierError } from '../../errors.ts';
import { type Plot, render } from '../inspection/draw-plots.ts';

const DEFAULT_HEIGHT = 360;

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
  return render(DEFAULT_HEIGHT, query, (options) => DRAW[plot](search, trials, query, options));
}

type Draw = (
  search: Search,
  trials: readonly ListedTrial[],
  query: SearchPlotQuery,
  options: ChartOptions,
) => VNode;

const DRAW: Readonly<Record<SearchPlot, Draw>> = {
  history: (search, trials, { scale }, options) =>
    drawSearchHistory(
      { ...writeCaption(search), scaleName: scale, trials: collectValues(search, trials) },
      options,
    ),

  slices: (search, trials, { scale }, options) => {
    const values = new Map(collectValues(search, trials).map(({ number, value }) => [number, value]));
    return drawSearchSlices(
      {
        ...writeCaption(search),
        scaleName: scale,
        best: search.best?.trial ?? null,
        options: search.vary.map((variation) => toOption(variation, parsePath(variation.path).at(-1)!)),
        trials: trials.map(({ trial, setting }) => ({
          number: trial,
          value: values.get(trial) ?? null,
          settings: search.vary.map((variation, i) => settingIndex(variation, setting[i])),
        })),
      },
      options,
    );
  },

  rungs: (search, trials, { scale }, options) =>
    drawSearchRungs(
      {
        ...writeCaption(search),
        scaleName: scale,
        rungs: search.rungs,
        trials: trials.map((trial) => ({ number: trial.trial, values: rungValues(trial, search.objective) })),
      },
      options,
    ),
};

const writeCaption = (search: Search) => describeSearch(search, `${search.modelName} · ${search.id}`);

/** The objective of each trial at the last rung that it reached, in order of their numbers. */
function collectValues(search: Search, trials: readonly ListedTrial[]) {
  return rankTrials(trials, search, search.validationImages)
    .map((trial) => ({ number: trial.trial, value: drawnValue(trial, search.objective) }))
    .toSorted((a, b) => a.number - b.number);
}

/** Means of the objective over the repeats, at each rung that all of them have reached. */
function rungValues({ trainings }: ListedTrial, objective: Objective): number[] {
  const { factor } = OBJECTIVES[objective];
  const reached = Math.min(...trainings.map(({ measured }) => measured.length));
  return Array.from({ length: reached }, (_, rung) => {
    const sum = trainings.reduce((total, { measured }) => total + measured[rung]![objective], 0);
    return (factor * sum) / trainings.length;
  });
}
