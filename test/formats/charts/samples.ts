/** Data of a typical size for every kind of chart. */
import type { EpochRecord } from '../../../src/domain/epoch-record.ts';
import { type DeadUnitsInput, drawDeadUnits } from '../../../src/formats/charts/dead-units.ts';
import { drawEpochs, EPOCH_CHARTS, type EpochsInput } from '../../../src/formats/charts/epochs.ts';
import type { ChartOptions } from '../../../src/formats/charts/figure.ts';
import type { VNode } from '../../../src/formats/charts/preact.d.ts';
import { drawSgdPath, type SgdPathInput } from '../../../src/formats/charts/sgd-path.ts';
import { THEMES } from '../../../src/formats/charts/theme.ts';

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
    scale: 'linear',
  };
}

export function deadUnitsInput(epochs: number, trainings = 1): DeadUnitsInput {
  const input = epochsInput(epochs, trainings);
  return { ...input, trainings: input.trainings.map((training) => ({ ...training, hidden: [40, 20] })) };
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

/** One chart of each kind, by name. */
export function sampleCharts(options: ChartOptions = LIGHT): Map<string, VNode> {
  return new Map([
    ...EPOCH_CHARTS.map((chart) => [chart, drawEpochs(chart, epochsInput(40), options)] as const),
    ['loss of 10,000 epochs', drawEpochs('loss', epochsInput(10_000), options)],
    ['loss of 8 trainings', drawEpochs('loss', epochsInput(100, 8), options)],
    ['dead units', drawDeadUnits(deadUnitsInput(40), options)],
    ['path', drawSgdPath(sgdPathInput(), options)],
  ]);
}
