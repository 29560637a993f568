/** Data of a typical size for every kind of chart. */

import { type ClassBarsInput, drawClassBars } from '../../src/charts/class-bars.ts';
import { type ConfusionInput, drawConfusion } from '../../src/charts/confusions/matrix.ts';
import { type ConfusionsInput, drawConfusions } from '../../src/charts/confusions/most-frequent.ts';
import { type DeadUnitsInput, drawDeadUnits, listHidden } from '../../src/charts/dead-units.ts';
import { drawEpochs, type EpochsInput } from '../../src/charts/epochs.ts';
import type { ChartOptions } from '../../src/charts/parts/figure.ts';
import { THEMES } from '../../src/charts/parts/theme.ts';
import type { VNode } from '../../src/charts/preact.d.ts';
import { drawCoverage, drawRanking } from '../../src/charts/ranking.ts';
import { drawReliability, type ReliabilityInput } from '../../src/charts/reliability.ts';
import { drawSearchHistory } from '../../src/charts/searches/history.ts';
import { drawSearchRungs, type SearchRungsInput } from '../../src/charts/searches/rungs.ts';
import { drawSearchSlices, type SearchSlicesInput } from '../../src/charts/searches/slices.ts';
import { drawSgdPath, type SgdPathInput } from '../../src/charts/sgd-path.ts';
import type { EpochRecord } from '../../src/domain/jobs/epoch-record.ts';
import { EPOCH_PLOTS, RANKING_PLOTS } from '../../src/domain/reports/plots.ts';

const SUBTITLE = 'fashion-mnist · job_01JDNW2E4V6Q8T0Y2A4C6E8G0J';

export const LIGHT: ChartOptions = { width: 640, height: 400, theme: THEMES.light };

/** Falling losses that differ between splits and, by `seed`, between trainings. */
export function epochRecords(epochs: number, seed = 0): EpochRecord[] {
  return Array.from({ length: epochs }, (_, i) => {
    const fall = Math.exp((-4 * i) / epochs) * (1 + seed / 20);
    const noise = 0.01 * Math.sin(13 * i + seed);
    return {
      epoch: i + 1,
      trainLoss: 0.25 + 0.6 * fall + noise / 4,
      trainAccuracy: 0.91 - 0.15 * fall,
      validationLoss: 0.33 + 0.4 * fall + noise,
      validationAccuracy: 0.88 - 0.1 * fall,
      testLoss: 0.35 + 0.4 * fall - noise,
      testAccuracy: 0.87 - 0.1 * fall,
      learningRate: 0.1 * 0.9 ** i,
      gradientNorm: 0.5 + 20 * noise,
      weightNorm: 8 - 3 * fall,
      deadUnits: [0.025 * Math.min(4, i), 0.1],
      durationMs: 120,
      evaluationMs: 40,
    };
  });
}

export function epochsInput(epochs: number, trainings = 1): EpochsInput {
  return {
    subtitle: SUBTITLE,
    trainings: Array.from({ length: trainings }, (_, seed) => ({
      name: `job_…4F7QK${seed}`,
      records: epochRecords(epochs, seed),
    })),
    scaleName: 'linear',
  };
}

export function deadUnitsInput(epochs: number, trainings = 1): DeadUnitsInput {
  const input = epochsInput(epochs, trainings);
  return {
    ...input,
    trainings: input.trainings.map((training) => ({
      ...training,
      hidden: listHidden({ convolutions: [], hidden: [40, 20] }),
    })),
  };
}

/** A path of 100 points into a bowl, whose loss is computed on 25 × 25 points. */
export function sgdPathInput(): SgdPathInput {
  const axis = (from: number, to: number) =>
    Array.from({ length: 25 }, (_, i) => from + ((to - from) * i) / 24);
  const [x, y] = [axis(-5, 9), axis(-4.5, 5)];
  return {
    subtitle: SUBTITLE,
    points: Array.from({ length: 100 }, (_, i) => {
      const at = i / 99;
      const [px, py] = [6.6 - 9 * Math.sqrt(at), -2.5 + 6 * Math.sin(2.2 * at)];
      return {
        epoch: 10 * at * at,
        x: px,
        y: py,
        loss: 2.3 * Math.exp(-2 * at),
        planeLoss: 1.5 * Math.exp(-2 * at),
      };
    }),
    surface: {
      x,
      y,
      loss: y.map((yj) => x.map((xi) => 0.3 + 0.02 * (xi + 2) ** 2 + 0.05 * (yj - 2.4) ** 2)),
    },
    explainedVariance: [0.879, 0.089],
    examples: 2500,
    split: 'train',
  };
}

const CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/** Most images of a class are on the diagonal, some near it. */
export function confusionInput(classes = CLASSES.length): ConfusionInput {
  const indices = Array.from({ length: classes }, (_, i) => i);
  return {
    subtitle: 'fashion-mnist@1',
    classNames: indices.map((i) => CLASSES[i] ?? `class ${i}`),
    matrix: indices.map((row) =>
      indices.map((column) =>
        row === column ? 800 + row : Math.abs(row - column) > 9 ? 0 : (7 * row + 11 * column) % 40,
      ),
    ),
  };
}

export function topConfusionsInput(classes: number): ConfusionsInput {
  const { subtitle, classNames, matrix } = confusionInput(classes);
  const cells = matrix.flatMap((row, label) => row.map((count, predicted) => ({ label, predicted, count })));
  return {
    ...{ subtitle, classNames, matrix: null, examples: 1000 * classes, accuracy: 0.85 },
    topConfusions: cells
      .filter(({ label, predicted, count }) => label !== predicted && count > 0)
      .sort((a, b) => b.count - a.count)
      .slice(0, 50)
      .map((cell) => ({
        ...cell,
        className: classNames[cell.label]!,
        predictedClassName: classNames[cell.predicted]!,
        fraction: cell.count / 1000,
      })),
  };
}

export function reliabilityInput(): ReliabilityInput {
  return {
    subtitle: 'fashion-mnist@1',
    expectedCalibrationError: 0.0234,
    bins: Array.from({ length: 15 }, (_, i) => ({
      from: i / 15,
      to: (i + 1) / 15,
      count: i < 2 ? 0 : Math.round(10 * 1.6 ** i),
      confidence: i < 2 ? null : (i + 0.6) / 15,
      accuracy: i < 2 ? null : (i + 0.3) / 16,
    })),
  };
}

export function classBarsInput(classes = CLASSES.length): ClassBarsInput {
  return {
    subtitle: 'fashion-mnist@1',
    classes: Array.from({ length: classes }, (_, i) => ({
      className: CLASSES[i] ?? `class ${i}`,
      precision: 0.9 + 0.01 * (i % 7),
      recall: 0.8 + 0.02 * (i % 9),
      f1: 0.85 + 0.01 * (i % 5),
    })),
  };
}

const OBJECTIVE = { label: 'Validation loss (nats)', lowerIsBetter: true };

export function slicesInput(trials = 40): SearchSlicesInput {
  return {
    subtitle: 'sea_01JDNW2E4V6Q8T0Y2A4C6E8G0J',
    objective: OBJECTIVE,
    scaleName: 'linear',
    best: 1,
    options: [
      { name: 'hidden', kind: 'choices', choices: ['[30]', '[40]', '[50]'] },
      { name: 'learningRate', kind: 'log', choices: [] },
      { name: 'momentum', kind: 'linear', choices: [] },
    ],
    trials: Array.from({ length: trials }, (_, i) => ({
      number: i + 1,
      value: i === 7 ? null : 0.31 + 0.002 * ((29 * i) % 40),
      settings: [i % 3, 10 ** (-3 + (i % 20) / 7), ((11 * i) % 40) / 40],
    })),
  };
}

/** Halving by 4: trial 1 passes every rung, trial 5 the first only. */
export function rungsInput(trials = 64): SearchRungsInput {
  return {
    ...slicesInput(),
    rungs: [1, 4, 16],
    trials: Array.from({ length: trials }, (_, i) => ({
      number: i + 1,
      values: [0.6, 0.4, 0.3].flatMap((loss, rung) => (i % 4 ** rung === 0 ? [loss + i / 1000] : [])),
    })),
  };
}

/** Classes whose images are ranked worse and worse. The last class has no images. */
export function rankingInput(classes = 10): Parameters<typeof drawRanking>[1] {
  const steps = Array.from({ length: 100 }, (_, i) => i / 99);
  const each = (label: number) => {
    const recall = steps.map((step) => step ** (1 / (2 + classes - label)));
    const isEmpty = label === classes - 1;
    return {
      label,
      className: `class ${label}`,
      support: isEmpty ? 0 : 100,
      areaUnderRoc: isEmpty ? null : 1 - 1 / (3 + classes - label),
      averagePrecision: isEmpty ? null : 0.9 - label / (2 * classes),
      curve: {
        threshold: steps.map((step, i) => (i === 0 ? null : 1 - step)),
        recall: isEmpty ? recall.map(() => null) : recall,
        falsePositiveRate: steps,
        precision: steps.map((step) => 1 - 0.9 * step ** 2),
        accuracy: steps.map((step) => 0.9 - 0.5 * step),
      },
    };
  };
  const all = Array.from({ length: classes }, (_, label) => each(label));
  const { areaUnderRoc, averagePrecision, curve } = all[0]!;
  return {
    subtitle: SUBTITLE,
    model: { name: 'fashion-mnist', version: 1 },
    dataset: 'fashion-mnist',
    split: 'test',
    examples: 100 * (classes - 1),
    classes: all,
    macroAverage: { areaUnderRoc, averagePrecision },
    microAverage: { areaUnderRoc, averagePrecision, curve },
    answered: {
      threshold: curve.threshold,
      fraction: steps,
      accuracy: steps.map((step) => 1 - 0.12 * step ** 2),
    },
  };
}

export const coverageInput = (): Parameters<typeof drawCoverage>[0] => ({
  subtitle: SUBTITLE,
  reused: true,
  levels: [0.8, 0.9, 0.95, 0.99].map((coverage, i) => ({
    coverage,
    measured: coverage + 0.01,
    meanSize: 1 + i / 4,
    unsure: 0.1 * i ** 2,
    sureAccuracy: i === 0 ? null : coverage,
  })),
});

/** A function for each kind of chart that draws it, by name. */
export function sampleDrawings(options: ChartOptions): Map<string, () => VNode> {
  // Made once, so that only drawing is measured.
  const [short, long, eight] = [epochsInput(40), epochsInput(10_000), epochsInput(100, 8)];
  const [dead, path] = [deadUnitsInput(40), sgdPathInput()];
  const [ten, hundred] = [confusionInput(), topConfusionsInput(100)];
  const [bins, classes, hundredClasses] = [reliabilityInput(), classBarsInput(), classBarsInput(100)];
  const [ranking, hundredRanked] = [rankingInput(), rankingInput(100)];
  const [slices, rungs] = [slicesInput(), rungsInput()];
  return new Map<string, () => VNode>([
    ...EPOCH_PLOTS.map((plot) => [plot, () => drawEpochs(plot, short, options)] as const),
    ['loss of 10,000 epochs', () => drawEpochs('loss', long, options)],
    ['loss of 8 trainings', () => drawEpochs('loss', eight, options)],
    ['dead units', () => drawDeadUnits(dead, options)],
    ['confusion', () => drawConfusion(ten, options)],
    ['confusion of 100 classes', () => drawConfusions(hundred, options)],
    ['calibration', () => drawReliability(bins, options)],
    ['classes', () => drawClassBars(classes, options)],
    ['100 classes', () => drawClassBars(hundredClasses, options)],
    ...RANKING_PLOTS.map((plot) => [plot, () => drawRanking(plot, ranking, options)] as const),
    ['roc of 100 classes', () => drawRanking('roc', hundredRanked, options)],
    ['coverage', () => drawCoverage(coverageInput(), options)],
    ['slices', () => drawSearchSlices(slices, options)],
    ['rungs', () => drawSearchRungs(rungs, options)],
    ['history', () => drawSearchHistory(slices, options)],
    ['path', () => drawSgdPath(path, options)],
  ]);
}

/** One chart of each kind, by name. */
export function sampleCharts(options: ChartOptions = LIGHT): Map<string, VNode> {
  return new Map(Array.from(sampleDrawings(options), ([name, draw]) => [name, draw()]));
}
