/** Draws the plots of training jobs and model versions as SVG, in about a millisecond. */

import { drawClassBars } from '../../charts/class-bars.ts';
import { drawConfusions } from '../../charts/confusions/most-frequent.ts';
import { drawDeadUnits, listHidden } from '../../charts/dead-units.ts';
import { drawEpochs } from '../../charts/epochs.ts';
import type { ChartOptions } from '../../charts/parts/figure.ts';
import { THEMES } from '../../charts/parts/theme.ts';
import { plotNames } from '../../charts/plot-names.ts';
import type { VNode } from '../../charts/preact.d.ts';
import { drawCoverage, drawRanking } from '../../charts/ranking.ts';
import { drawReliability } from '../../charts/reliability.ts';
import { renderSvg } from '../../charts/render.ts';
import { drawSgdPath } from '../../charts/sgd-path.ts';
import { nameConfusions } from '../../domain/checks/evaluation.ts';
import { describeRanking } from '../../domain/checks/ranking.ts';
import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { VersionReference } from '../../domain/models/reference.ts';
import type {
  JobPlot,
  JobPlotQuery,
  PathPlotQuery,
  PlotQuery,
  RankingPlot,
  ReportPlot,
  VersionPlot,
  VersionPlotQuery,
} from '../../domain/reports/plots.ts';
import { AtelierError } from '../../errors.ts';
import type { EvaluationService } from './evaluations.ts';
import type { SgdPathService } from './sgd-paths.ts';

/** Height without `height`, in pixels. */
const HEIGHTS: Readonly<Record<JobPlot | VersionPlot | 'path', number>> = {
  path: 480,
  loss: 400,
  accuracy: 400,
  'learning-rate': 320,
  'gradient-norm': 320,
  'weight-norm': 320,
  'dead-units': 320,
  confusion: 560,
  calibration: 480,
  classes: 480,
  roc: 480,
  'precision-recall': 480,
  answered: 400,
  coverage: 400,
};

export interface Plot {
  readonly svg: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** @throws AtelierError `impossible-request` for dead units of a network without hidden layers */
export function drawJobPlot(
  plot: JobPlot,
  jobs: readonly TrainingJob[],
  records: readonly (readonly EpochRecord[])[],
  query: JobPlotQuery,
): Plot {
  const names = plotNames(jobs);
  const [first] = jobs;
  const subtitle = jobs.length === 1 ? `${first!.modelName} · ${first!.id}` : `${jobs.length} training jobs`;
  const trainings = jobs.map(({ network }, i) => ({
    name: names[i]!,
    records: records[i]!,
    hidden: listHidden(network),
  }));
  if (plot !== 'dead-units') {
    const content = { subtitle, trainings, scaleName: query.scale, testLooks: countLooks(records[0]!) };
    return render(HEIGHTS[plot], query, (options) => drawEpochs(plot, content, options));
  }
  const shallow = jobs.find(({ network }) => listHidden(network).length === 0);
  if (shallow) {
    throw new AtelierError(
      'impossible-request',
      `The network of training job ${shallow.id} has no hidden layers.`,
    );
  }
  return render(HEIGHTS[plot], query, (options) => drawDeadUnits({ subtitle, trainings }, options));
}

export function drawPathPlot(
  job: TrainingJob,
  path: Awaited<ReturnType<SgdPathService['compute']>>,
  query: PathPlotQuery,
): Plot {
  const subtitle = `${job.modelName} · ${job.id}`;
  return render(HEIGHTS.path, query, (options) => drawSgdPath({ subtitle, ...path }, options));
}

export function drawVersionPlot(
  plot: ReportPlot,
  { model, classNames, dataset, report }: Awaited<ReturnType<EvaluationService['evaluate']>>,
  query: VersionPlotQuery,
): Plot {
  const subtitle = describeSplit(model, query, dataset);
  const draw: Readonly<Record<ReportPlot, (options: ChartOptions) => VNode>> = {
    confusion(options) {
      const { examples, accuracy, confusion: matrix } = report;
      const topConfusions = nameConfusions(report.confusions, classNames);
      return drawConfusions({ subtitle, classNames, matrix, examples, accuracy, topConfusions }, options);
    },
    calibration(options) {
      const { bins, expectedError } = report.calibration;
      return drawReliability({ subtitle, bins, expectedCalibrationError: expectedError }, options);
    },
    classes(options) {
      const classes = report.classes.map((each, label) => ({ ...each, className: classNames[label]! }));
      return drawClassBars({ subtitle, classes }, options);
    },
  };
  return render(HEIGHTS[plot], query, draw[plot]);
}

export function drawRankingPlot(
  plot: RankingPlot,
  { model, classNames, dataset, ranking }: Awaited<ReturnType<EvaluationService['rank']>>,
  query: VersionPlotQuery,
): Plot {
  const { split } = query;
  const subtitle = describeSplit(model, query, dataset);
  const shown = describeRanking(model, { dataset: dataset.id, split, classNames }, ranking);
  return render(HEIGHTS[plot], query, (options) => drawRanking(plot, { subtitle, ...shown }, options));
}

export function drawCoveragePlot(
  { model, dataset, report, reused }: Awaited<ReturnType<EvaluationService['measureCoverage']>>,
  query: VersionPlotQuery,
): Plot {
  const input = { subtitle: describeSplit(model, query, dataset), levels: [...report.levels], reused };
  return render(HEIGHTS.coverage, query, (options) => drawCoverage(input, options));
}

const describeSplit = (
  { name, version }: VersionReference,
  { split }: VersionPlotQuery,
  { id }: { readonly id: string },
): string => `${name}@${version} · ${split} split of ${id}`;

export function render(
  defaultHeight: number,
  { width, height = defaultHeight, theme }: PlotQuery,
  draw: (options: ChartOptions) => VNode,
): Plot {
  return { svg: renderSvg(draw({ width, height, theme: THEMES[theme] })), width, height };
}

/** Each epoch with a test result is a look, also those before the first record. */
function countLooks(records: readonly EpochRecord[]): number {
  const measured = records.filter(({ testLoss }) => testLoss !== null);
  return measured.length === records.length ? records.at(-1)!.epoch : measured.length;
}
