/** Section of a lab report about the training: request, curves, warnings, the last epochs. */

import { drawDeadUnits, listHidden } from '../../../charts/dead-units.ts';
import { drawEpochs } from '../../../charts/epochs.ts';
import type { EpochRecord } from '../../../domain/jobs/epoch-record.ts';
import { resolvedTrainingRequestSchema } from '../../../domain/jobs/request.ts';
import type { EpochPlot } from '../../../domain/reports/plots.ts';
import {
  type Block,
  type Chart,
  codeBlock,
  decimal,
  type Inline,
  NONE,
  prose,
  table,
  text,
  whole,
} from '../blocks.ts';
import type { ReportInput } from './input.ts';

const PLOTS = ['loss', 'accuracy', 'learning-rate'] as const satisfies readonly EpochPlot[];
/** Two charts fit beside each other. */
const SIZE = { width: 460, height: 300 };
const MAX_WARNINGS = 20;

export function trainingBlocks(input: ReportInput): Block[] {
  const { job, epochs, warnings } = input.report;
  const request = job.receipt?.request ?? resolvedTrainingRequestSchema.parse(job);
  const more = warnings.length - MAX_WARNINGS;
  const blocks: Block[] = [text('The request, with all defaults:'), codeBlock('json', writeRequest(request))];
  if (input.records.length > 0) blocks.push({ kind: 'charts', charts: curves(input) });
  if (warnings.length > 0) {
    const listed = [...warnings.slice(0, MAX_WARNINGS), ...(more > 0 ? [`… and ${more} more.`] : [])];
    blocks.push({ kind: 'heading', title: 'Warnings' }, { kind: 'list', items: listed });
  }
  if (epochs.length > 0) {
    const title = epochs.length === 1 ? 'The last epoch' : `The last ${epochs.length} epochs`;
    blocks.push({ kind: 'heading', title }, listEpochs(epochs), ...describeTest(input));
  }
  return blocks;
}

function curves({ report: { job }, records, basePath }: ReportInput): Chart[] {
  const training = { name: job.modelName, records, hidden: listHidden(job.network) };
  const subtitle = job.modelName;
  const testLooks = records.filter(({ testLoss }) => testLoss !== null).length;
  const url = (plot: string) => `${basePath}/v1/training-jobs/${job.id}/plots/${plot}`;
  const charts: Chart[] = PLOTS.map((plot) => ({
    title: `Plot: ${plot}`,
    url: url(plot),
    draw: (theme) =>
      drawEpochs(
        plot,
        { subtitle, trainings: [training], scaleName: 'linear', testLooks },
        { ...SIZE, theme },
      ),
  }));
  if (training.hidden.length > 0) {
    const draw: Chart['draw'] = (theme) =>
      drawDeadUnits({ subtitle, trainings: [training] }, { ...SIZE, theme });
    charts.push({ title: 'Plot: dead units', url: url('dead-units'), draw });
  }
  return charts;
}

const COLUMNS: readonly { readonly name: string; readonly show: (record: EpochRecord) => Inline }[] = [
  { name: 'epoch', show: ({ epoch }) => whole(epoch) },
  { name: 'training loss', show: ({ trainLoss }) => decimal(trainLoss) },
  { name: 'training accuracy', show: ({ trainAccuracy }) => decimal(trainAccuracy) },
  { name: 'validation loss', show: ({ validationLoss }) => decimal(validationLoss) },
  { name: 'validation accuracy', show: ({ validationAccuracy }) => decimal(validationAccuracy) },
  { name: 'test cross-entropy', show: ({ testLoss }) => decimal(testLoss) },
  { name: 'test accuracy', show: ({ testAccuracy }) => decimal(testAccuracy) },
  {
    name: 'learning rate',
    show: ({ learningRate }) => ({
      value: learningRate,
      shown: String(Number(learningRate.toPrecision(3))),
    }),
  },
];

/** Leaves out columns without any value. */
function listEpochs(epochs: readonly EpochRecord[]): Block {
  const columns = COLUMNS.filter(({ show }) => epochs.some((record) => show(record) !== NONE));
  return table(
    columns.map(({ name }) => name),
    epochs.map((record) => columns.map(({ show }) => show(record))),
  );
}

/** The test result of a training that does not measure its epochs, or the reason why it is missing. */
function describeTest({ report: { job, evaluation } }: ReportInput): Block[] {
  if (job.testSet === 'every-epoch') return [];
  if (job.testSet === 'never')
    return [text('The training does not measure the test images ("testSet": "never").')];
  const when =
    'The epochs are not measured on the test images ("testSet": "once"), only the published parameters';
  if (evaluation === null) return [text(`${when}.`)];
  return [
    prose`${when}: test cross-entropy ${decimal(evaluation.loss)}, test accuracy ${decimal(evaluation.accuracy)}.`,
  ];
}

/** JSON with one line for each field, and for each field of its objects, to keep it short. */
function writeRequest(value: object, indent = ''): string {
  const fields = Object.entries(value).map(([key, field]) => {
    const isNested = indent === '' && isObject(field) && Object.keys(field).length > 3;
    const written = isNested ? writeRequest(field, '  ') : JSON.stringify(field);
    return `${indent}  ${JSON.stringify(key)}: ${written}`;
  });
  return `{\n${fields.join(',\n')}\n${indent}}`;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
