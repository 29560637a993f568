/** Thread entry: all computations for requests except predictions and data sets. */
import { rasterToPng } from '../datasets/encoded-image.ts';
import { drawWeights } from '../formats/drawing/weights.ts';
import { computeImageStatistics } from '../numerics/diagnosis/image-statistics.ts';
import { collectGarbage } from './collect-garbage.ts';
import { checkKernel } from './kernel.ts';
import { toOutcome } from './outcome.ts';
import { lowerPriority } from './priority.ts';
import {
  averageProbabilities,
  compareNetworks,
  compareOnHeldOut,
  evaluateNetwork,
} from './tasks/evaluate.ts';
import { explainImage } from './tasks/explain.ts';
import { exportVerified } from './tasks/export.ts';
import { runGradientCheck } from './tasks/gradient-check.ts';
import { importChecked } from './tasks/import.ts';
import * as predictions from './tasks/predict-images.ts';
import * as table from './tasks/predictions-table.ts';
import { computeSgdPath } from './tasks/sgd-path.ts';
import { timeTraining as timeSteps } from './tasks/time-training.ts';
import type { Handlers, NumericTasks } from './tasks.ts';

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
      const { rasterizeSvg } = await import('../formats/rasterize-svg.ts');
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
