/** How well the probabilities of a version order images: ROC, precision and recall, accuracy of the answered images. */
import type { JSX } from 'preact';
import { drawRanking } from '../../../../src/charts/ranking.ts';
import type { ShownRanking } from '../../../../src/domain/checks/ranking.ts';
import type { RankingPlot } from '../../../../src/domain/reports/plots.ts';
import { useResource } from '../../../api/use-resource.ts';
import { Chart, type ChartProps, type ChartTable } from '../../../components/chart.tsx';
import { Loaded } from '../../../components/feedback/loaded.tsx';
import { percent, significant } from '../../../format.ts';

export interface RankingProps {
  /** Path of the version in the API. */
  readonly path: string;
  readonly split: string;
  readonly subtitle: string;
  readonly fileOf: (plot: string) => string;
}

/** The images are those of an evaluation that was shown before, so the request is not a look. */
export function Ranking({ path, split, ...caption }: RankingProps): JSX.Element {
  const resource = useResource<ShownRanking>(`${path}/evaluation/ranking?split=${split}`);
  return (
    <Loaded resource={resource} lines={10}>
      {(ranking) => <Charts ranking={ranking} path={path} split={split} {...caption} />}
    </Loaded>
  );
}

function Charts({
  ranking,
  path,
  split,
  subtitle,
  fileOf,
}: RankingProps & { readonly ranking: ShownRanking }): JSX.Element {
  const chart = (plot: RankingPlot, table: ChartTable, cursor?: ChartProps['cursor']) => (
    <Chart
      draw={(options) => drawRanking(plot, { ...ranking, subtitle }, options)}
      height={400}
      table={table}
      cursor={cursor}
      plotPath={`${path}/plots/${plot}?split=${split}`}
      csvPath={`${path}/evaluation/ranking?split=${split}`}
      file={fileOf(plot)}
    />
  );
  const { threshold, fraction, accuracy } = ranking.answered;
  const second = ranking.classes.length === 2 ? ranking.classes[1]! : null;
  return (
    <div class="columns wide">
      {chart('roc', tabulateAreas(ranking))}
      {second
        ? chart('precision-recall', tabulateThresholds(second), thresholdCursor(second))
        : chart('precision-recall', tabulateAreas(ranking))}
      {chart('answered', {
        columns: ['Threshold', 'Answered', 'Accuracy'],
        rows: threshold.map((value, i) => [value, fraction[i]!, accuracy[i]!]),
      })}
    </div>
  );
}

const tabulateAreas = ({ classes, macroAverage, microAverage }: ShownRanking): ChartTable => ({
  columns: ['Class', 'Area under ROC', 'Average precision'],
  rows: [
    ...classes.map((each) => [each.className, each.areaUnderRoc, each.averagePrecision]),
    ['Mean of the classes', macroAverage.areaUnderRoc, macroAverage.averagePrecision],
    ['Micro average', microAverage.areaUnderRoc, microAverage.averagePrecision],
  ],
});

type RankedClass = ShownRanking['classes'][number];

/** Thresholds of the probability of the second of two classes. */
function tabulateThresholds({ className, curve }: RankedClass): ChartTable {
  return {
    columns: [`Probability of ${className}`, 'Precision', 'Recall', 'False positive rate', 'Accuracy'],
    rows: curve.threshold.map((value, i) => [
      value,
      curve.precision[i]!,
      curve.recall[i]!,
      curve.falsePositiveRate[i]!,
      curve.accuracy[i]!,
    ]),
  };
}

/** Chooses one of these thresholds, ascending to the right; first the one that predictions have, about 0.5. */
function thresholdCursor({ className, curve }: RankedClass): ChartProps['cursor'] {
  const last = curve.threshold.length - 1;
  const half = curve.threshold.findLastIndex((value) => value === null || value >= 0.5);
  return {
    label: `Threshold of the probability of ${className}`,
    count: last + 1,
    start: last - half,
    describe(index) {
      const i = last - index;
      const threshold = curve.threshold[i];
      const chosen =
        typeof threshold === 'number' ? `probability ≥ ${significant(threshold)}` : 'above all probabilities';
      const rates = [
        `precision ${percent(curve.precision[i]!)}`,
        `recall ${percent(curve.recall[i]!)}`,
        `false positive rate ${percent(curve.falsePositiveRate[i]!)}`,
        `accuracy ${percent(curve.accuracy[i]!)}`,
      ];
      return `Class ${className}, ${chosen}: ${rates.join(', ')}`;
    },
  };
}
