/** Columns of epoch records in tables and sentences. */
import type { EpochRecord } from '../../../../src/domain/jobs/epoch-record.ts';
import type { EpochPlot } from '../../../../src/domain/reports/plots.ts';
import { percent, significant } from '../../../format.ts';

export interface EpochColumn {
  readonly name: string;
  readonly value: (record: EpochRecord) => number | null;
  readonly text: (value: number | null) => string;
}

const rounded = (value: number | null) => significant(value);
export const COLUMNS: Readonly<Record<EpochPlot, readonly EpochColumn[]>> = {
  loss: [
    { name: 'training loss', value: ({ trainLoss }) => trainLoss, text: rounded },
    { name: 'validation loss', value: ({ validationLoss }) => validationLoss, text: rounded },
    { name: 'test loss', value: ({ testLoss }) => testLoss, text: rounded },
  ],
  accuracy: [
    { name: 'training accuracy', value: ({ trainAccuracy }) => trainAccuracy, text: percent },
    { name: 'validation accuracy', value: ({ validationAccuracy }) => validationAccuracy, text: percent },
    { name: 'test accuracy', value: ({ testAccuracy }) => testAccuracy, text: percent },
  ],
  'learning-rate': [{ name: 'learning rate', value: ({ learningRate }) => learningRate, text: rounded }],
  'gradient-norm': [{ name: 'gradient norm', value: ({ gradientNorm }) => gradientNorm, text: rounded }],
  'weight-norm': [{ name: 'weight norm', value: ({ weightNorm }) => weightNorm, text: rounded }],
};

/** Columns that have values. A split is measured after every epoch or never. */
export const epochTable = (plot: EpochPlot, [first]: readonly EpochRecord[]): readonly EpochColumn[] =>
  COLUMNS[plot].filter(({ value }) => first !== undefined && value(first) !== null);

export const allColumns = (records: readonly EpochRecord[]): readonly EpochColumn[] =>
  (Object.keys(COLUMNS) as EpochPlot[]).flatMap((plot) => epochTable(plot, records));
