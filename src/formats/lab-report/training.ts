/** Section of a lab report about the training: request, curves, warnings, the last epochs. */
import type { EpochRecord } from '../../domain/epoch-record.ts';
import type { EpochPlot } from '../../domain/plots.ts';
import { resolvedTrainingRequestSchema } from '../../domain/training-job.ts';
import { drawDeadUnits } from '../charts/dead-units.ts';
import { drawEpochs } from '../charts/epochs.ts';
import { type Block, type Chart, decimal, type ReportInput, table, text, whole } from './document.ts';

const PLOTS = ['loss', 'accuracy', 'learning-rate'] as const satisfies readonly EpochPlot[];
/** Two charts fit beside each other. */
const SIZE = { width: 460, height: 300 };
const MAX_WARNINGS = 20;

export function trainingBlocks(input: ReportInput): Block[] {
  const { job, epochs, warnings } = input.report;
  const request = job.receipt?.request ?? resolvedTrainingRequestSchema.parse(job);
  const more = warnings.length - MAX_WARNINGS;
  const blocks: Block[] = [
    text('The request, with all defaults:'),
    { kind: 'code', language: 'json', text: writeRequest(request) },
  ];
  if (input.records.length > 0) blocks.push({ kind: 'charts', charts: curves(input) });
  if (warnings.length > 0) {
    const listed = [...warnings.slice(0, MAX_WARNINGS), ...(more > 0 ? [`… and ${more} more.`] : [])];
    blocks.push({ kind: 'heading', title: 'Warnings' }, { kind: 'list', items: listed });
  }
  if (epochs.length > 0) {
    const title = epochs.length === 1 ? 'The last epoch' : `The last ${epochs.length} epochs`;
    blocks.push({ kind: 'heading', title }, listEpochs(epochs));
  }
  return blocks;
}

function curves({ report: { job }, records, basePath }: ReportInput): Chart[] {
  const training = { name: job.modelName, records, hidden: job.network.hidden };
  const subtitle = job.modelName;
  const testLooks = records.filter(({ testLoss }) => testLoss !== null).length;
  const url = (plot: string) => `${basePath}/v1/training-jobs/${job.id}/plots/${plot}`;
  const charts: Chart[] = PLOTS.map((plot) => ({
    title: `Plot: ${plot}`,
    url: url(plot),
    draw: (theme) =>
      drawEpochs(plot, { subtitle, trainings: [training], scale: 'linear', testLooks }, { ...SIZE, theme }),
  }));
  if (training.hidden.length > 0) {
    const draw: Chart['draw'] = (theme) =>
      drawDeadUnits({ subtitle, trainings: [training] }, { ...SIZE, theme });
    charts.push({ title: 'Plot: dead units', url: url('dead-units'), draw });
  }
  return charts;
}

function listEpochs(epochs: readonly EpochRecord[]): Block {
  return table(
    [
      'epoch',
      'training loss',
      'training accuracy',
      'validation loss',
      'validation accuracy',
      'test cross-entropy',
      'test accuracy',
      'learning rate',
    ],
    epochs.map((record) => [
      whole(record.epoch),
      decimal(record.trainLoss),
      decimal(record.trainAccuracy),
      decimal(record.validationLoss),
      decimal(record.validationAccuracy),
      decimal(record.testLoss),
      decimal(record.testAccuracy),
      { value: record.learningRate, shown: String(Number(record.learningRate.toPrecision(3))) },
    ]),
  );
}

/** JSON with one line for each field, and for each field of its objects, which keeps it short. */
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
