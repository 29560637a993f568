/** Charts of the probabilities of a version: ROC, precision–recall, accuracy of the answered images, measured coverage. */
import type { VNode } from 'preact';
import type { ShownCoverage } from '../domain/checks/coverage.ts';
import type { ShownRanking } from '../domain/checks/ranking.ts';
import type { RankingPlot } from '../domain/reports/plots.ts';
import { type Curve, drawCurves } from './curves.ts';
import type { ChartOptions } from './parts/figure.ts';
import { shortNumber } from './parts/ticks.ts';

/** Named classes; with the micro average, there is a colour for each. */
const MAX_NAMED = 7;
/** More would not be distinguished, and make a file large. */
const MAX_OTHERS = 10;

const PLOTS = {
  roc: {
    title: 'ROC curves',
    area: 'areaUnderRoc',
    areaName: 'area under the curve',
    x: 'falsePositiveRate',
    y: 'recall',
    xLabel: 'False positive rate (% of the images of other classes)',
    yLabel: 'True positive rate (% of the images of the class)',
  },
  'precision-recall': {
    title: 'Precision and recall',
    area: 'averagePrecision',
    areaName: 'average precision',
    x: 'recall',
    y: 'precision',
    xLabel: 'Recall (% of the images of the class)',
    yLabel: 'Precision (% of the selected images)',
  },
} as const;

export function drawRanking(
  plot: RankingPlot,
  { subtitle, ...ranking }: ShownRanking & { readonly subtitle: string },
  options: ChartOptions,
): VNode {
  if (plot === 'answered') return drawAnswered(subtitle, ranking.answered, options);
  const { title, area, areaName, x, y, xLabel, yLabel } = PLOTS[plot];
  const { microAverage, macroAverage } = ranking;
  const known = ranking.classes
    .filter((each) => each[area] !== null)
    .toSorted((a, b) => a[area]! - b[area]! || a.label - b.label);
  const toCurve = (name: string, each: Pick<typeof microAverage, 'curve' | typeof area>): Curve => ({
    name: `${shown(each[area])} ${name}`,
    x: each.curve[x],
    y: each.curve[y],
  });
  const [named, others] = [known.slice(0, MAX_NAMED), known.slice(MAX_NAMED, MAX_NAMED + MAX_OTHERS)];
  const missing = ranking.classes.length - named.length - others.length;
  return drawCurves(
    {
      title,
      subtitle,
      notes: [
        `Each class against the rest. The mean ${areaName} of the classes is ${shown(macroAverage[area])}` +
          (known[0] ? `; ${known[0].className} has the lowest, ${shown(known[0][area])}.` : '.'),
        ...(others.length > 0 ? [`The next ${others.length} are grey.`] : []),
        ...(missing > 0 ? [`Classes that are not drawn: ${missing}.`] : []),
      ],
      xLabel,
      yLabel,
      curves: [toCurve('micro average', microAverage), ...named.map((each) => toCurve(each.className, each))],
      others: others.map((each) => toCurve(each.className, each)),
      ...(plot === 'roc' && { reference: 'diagonal' as const }),
    },
    options,
  );
}

function drawAnswered(
  subtitle: string,
  { fraction, accuracy }: ShownRanking['answered'],
  options: ChartOptions,
): VNode {
  const half = fraction.findIndex((each) => each >= 0.5);
  return drawCurves(
    {
      title: 'Accuracy of the answered images',
      subtitle,
      description:
        `If all images are answered, the accuracy is ${shown(accuracy.at(-1)!)}; if only the ${shown(100 * fraction[half]!)} % with the highest ` +
        `probabilities are, it is ${shown(accuracy[half]!)}.`,
      xLabel: 'Answered images (%), those with the highest probability first',
      yLabel: 'Accuracy (% of the answered images)',
      // The first point answers no image.
      curves: [{ name: 'accuracy', x: fraction.slice(1), y: accuracy.slice(1) }],
      fitted: true,
    },
    options,
  );
}

export function drawCoverage(
  { subtitle, levels, reused }: Pick<ShownCoverage, 'levels' | 'reused'> & { readonly subtitle: string },
  options: ChartOptions,
): VNode {
  const x = levels.map(({ coverage }) => coverage);
  return drawCurves(
    {
      title: 'Measured coverage',
      subtitle,
      description: `${levels
        .map(
          ({ coverage, measured, unsure }) =>
            `For a coverage of ${shown(100 * coverage)} %, ${shown(100 * measured)} % of the sets contain the true class, and ${shown(100 * unsure)} % of the predictions are unsure.`,
        )
        .join(' ')}`,
      notes: reused ? ['Some of these images also calibrated or trained the version.'] : [],
      xLabel: 'Coverage that the sets are made for (%)',
      yLabel: 'Fraction of the images (%)',
      curves: [
        { name: 'covered', x, y: levels.map(({ measured }) => measured) },
        { name: 'correct if sure', x, y: levels.map(({ sureAccuracy }) => sureAccuracy) },
        { name: 'unsure', x, y: levels.map(({ unsure }) => unsure) },
      ],
      fitted: true,
    },
    options,
  );
}

const shown = (value: number | null): string => (value === null ? '–' : shortNumber(value));
