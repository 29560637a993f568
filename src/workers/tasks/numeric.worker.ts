/** Thread entry: all computations for requests except predictions and data sets. */

import { drawWeights } from '../../formats/drawing/weights.ts';
import { rasterToPng } from '../../images/encoded.ts';
import { computeImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { collectGarbage } from '../../tuning/collect-garbage.ts';
import { checkKernel } from '../kernel/compile.ts';
import type { Handlers, NumericTasks } from '../messages/by-pool.ts';
import { toOutcome } from '../threads/outcome.ts';
import { lowerPriority } from '../threads/priority.ts';
import { averageProbabilities, compareNetworks, compareOnHeldOut, evaluateNetwork } from './evaluate.ts';
import { explainImage } from './explain.ts';
import { exportVerified } from './export.ts';
import { runGradientCheck } from './gradient-check.ts';
import { importChecked } from './import.ts';
import * as predictions from './predict-images.ts';
import * as table from './predictions-table.ts';
import { computeSgdPath } from './sgd-path.ts';
import { timeTraining as timeSteps } from './time-training.ts';

lowerPriority();

checkKernel();

export const {
  checkGradient,
  evaluate,
  compare,
  compareHeldOut,
  averageTeachers,
  explain,
  drawLayer,
  drawPlot,
  exportFile,
  importFile,
  sgdPath,
  timeTraining,
  measureImages,
  predictImages,
  writePredictionsTable,
} = {
  checkGradient: (task) => toOutcome(() => runGradientCheck(task)),
  evaluate: (task) => toOutcome(() => evaluateNetwork(task)),
  compare: (task) => toOutcome(() => compareNetworks(task)),
  compareHeldOut: (task) => toOutcome(() => compareOnHeldOut(task)),
  averageTeachers: (task) => toOutcome(() => averageProbabilities(task)),
  explain: (task) =>
    toOutcome(
      () => explainImage(task),
      ({ drawing }) => [drawing.rgb],
    ),
  drawLayer: ({ network, ...query }) =>
    toOutcome(() => rasterToPng(drawWeights(network.layerSizes, network.parameters, query))),
  drawPlot: ({ svg, density }) =>
    toOutcome(async () => {
      // Loaded on demand: the other tasks do not need the library.
      const { rasterizeSvg } = await import('../../charts/rasterize-svg.ts');
      const png = rasterizeSvg(svg, density);
      // The library holds the pixels until then: 4 MiB for a plot of the default size at density 2.
      collectGarbage();
      return png;
    }),
  exportFile: (task) => toOutcome(() => exportVerified(task)),
  importFile: (task) =>
    toOutcome(
      () => importChecked(task),
      ({ parameters }) => [parameters],
    ),
  timeTraining: (task) => toOutcome(() => timeSteps(task)),
  sgdPath: (task) => toOutcome(() => computeSgdPath(task)),
  // Takes about a second for 60,000 images.
  measureImages: ({ examples, classes }) => toOutcome(() => computeImageStatistics(examples, classes)),
  predictImages: (task) => toOutcome(() => predictions.predictImages(task)),
  writePredictionsTable: (task) => toOutcome(() => table.writePredictionsTable(task)),
} satisfies Handlers<NumericTasks>;
