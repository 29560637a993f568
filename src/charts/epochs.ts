/** Charts of a training by epoch: loss, accuracy, learning rate, norms. */
import type { VNode } from 'preact';
import type { EpochRecord } from '../domain/jobs/epoch-record.ts';
import type { EpochPlot, PlotScale } from '../domain/reports/plots.ts';
import { drawLines, type Line } from './lines.ts';
import type { ChartOptions } from './parts/figure.ts';
import type { Mark } from './parts/marks.ts';
import { extractColumn } from './parts/thin.ts';
import { shortNumber } from './parts/ticks.ts';

/** A training to draw. */
export interface PlottedTraining {
  /** Distinguishes the training from others in the chart. */
  readonly name: string;
  readonly records: readonly EpochRecord[];
}

export interface EpochsInput {
  /** Shown beside the title: the model and the job. */
  readonly subtitle: string;
  /** One is drawn with all its lines; of several, each is one line. */
  readonly trainings: readonly PlottedTraining[];
  readonly scaleName: PlotScale;
  /** Number of looks at the test set that the test line represents, if known. */
  readonly testLooks?: number | undefined;
  /** Epochs to point out. */
  readonly marks?: readonly Mark[];
}

/** A column of the epoch records. */
interface Measure {
  readonly name: string;
  readonly value: (record: EpochRecord) => number | null;
}

const CHARTS: Readonly<
  Record<
    EpochPlot,
    { title: string; yLabel: string; fromZero: boolean; factor: number; unit?: string; measures: Measure[] }
  >
> = {
  loss: {
    title: 'Loss by epoch',
    yLabel: 'Mean cross-entropy (nats)',
    fromZero: false,
    factor: 1,
    measures: [
      { name: 'training', value: ({ trainLoss }) => trainLoss },
      { name: 'validation', value: ({ validationLoss }) => validationLoss },
      { name: 'test', value: ({ testLoss }) => testLoss },
    ],
  },
  accuracy: {
    title: 'Accuracy by epoch',
    yLabel: 'Correct predictions (% of the images)',
    fromZero: false,
    factor: 100,
    unit: ' %',
    measures: [
      { name: 'training', value: ({ trainAccuracy }) => trainAccuracy },
      { name: 'validation', value: ({ validationAccuracy }) => validationAccuracy },
      { name: 'test', value: ({ testAccuracy }) => testAccuracy },
    ],
  },
  'learning-rate': {
    title: 'Learning rate by epoch',
    yLabel: 'Learning rate of the last step (no unit)',
    fromZero: true,
    factor: 1,
    measures: [{ name: 'learning rate', value: ({ learningRate }) => learningRate }],
  },
  'gradient-norm': {
    title: 'Norm of the gradient by epoch',
    yLabel: '2-norm of the gradient on the last batch, before clipping (nats)',
    fromZero: true,
    factor: 1,
    measures: [{ name: 'gradient', value: ({ gradientNorm }) => gradientNorm }],
  },
  'weight-norm': {
    title: 'Norm of the weights by epoch',
    yLabel: '2-norm of all weights, without biases (no unit)',
    fromZero: true,
    factor: 1,
    measures: [{ name: 'weights', value: ({ weightNorm }) => weightNorm }],
  },
};

/**
 * Draws a measure by epoch. For several trainings, loss and accuracy belong to the validation split, or to the training
 * images if one of the trainings has no validation split.
 */
export function drawEpochs(chart: EpochPlot, input: EpochsInput, options: ChartOptions): VNode {
  const { trainings, subtitle, scaleName, testLooks, marks = [] } = input;
  const { title, yLabel, fromZero, factor, unit = '', measures } = CHARTS[chart];
  const present = measures.filter(({ value }) =>
    trainings.some(({ records }) => records.some((each) => value(each) !== null)),
  );
  const toLine = (name: string, { records }: PlottedTraining, { value }: Measure): Line => ({
    name,
    x: records.map(({ epoch }) => epoch),
    y: extractColumn(records, (record) => factor * (value(record) ?? Number.NaN)),
  });
  const single = trainings.length === 1 ? trainings[0]! : null;
  const compared = comparedMeasure(measures, trainings);
  const lines = single
    ? present.map((measure) => toLine(measure.name, single, measure))
    : trainings.map((training) => toLine(training.name, training, compared));
  const hasTest = single !== null && present.some(({ name }) => name === 'test');
  return drawLines(
    {
      title: single || measures.length === 1 ? title : `${title}, ${compared.name} images`,
      subtitle,
      description: lines.map((line) => describeLine(line, unit)).join(' '),
      notes: hasTest && testLooks !== undefined ? [describeLooks(testLooks)] : [],
      xLabel: 'Epoch',
      yLabel,
      lines,
      scaleName,
      fromZero,
      unit,
      marks,
    },
    options,
  );
}

function comparedMeasure(measures: readonly Measure[], trainings: readonly PlottedTraining[]): Measure {
  const [first, validation] = measures;
  const isValidated = ({ records }: PlottedTraining) =>
    records.some((record) => validation !== undefined && validation.value(record) !== null);
  return validation && trainings.every(isValidated) ? validation : first!;
}

function describeLine({ name: line, y }: Line, unit: string): string {
  const name = line.charAt(0).toUpperCase() + line.slice(1);
  const isPresent = (value: number) => !Number.isNaN(value);
  const first = y.find(isPresent);
  if (first === undefined) return `${name}: no value.`;
  const last = `${shortNumber(y.findLast(isPresent)!)}${unit}`;
  let count = 0;
  for (const value of y) if (isPresent(value)) count++;
  return count === 1
    ? `${name}: ${last} after one epoch.`
    : `${name}: from ${shortNumber(first)}${unit} to ${last} in ${count} epochs.`;
}

export function describeLooks(looks: number): string {
  return `The test line represents ${looks === 1 ? 'one look' : `${looks.toLocaleString('en')} looks`} at the test set.`;
}
