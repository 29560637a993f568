/** The result of a dry run as text: what the service understood, and what it would leave out. */
import type { CheckedDataset } from '../../src/domain/datasets/representation.ts';
import { formatShape, formatTable, printable } from '../text.ts';

/** Classes that are listed one by one. */
const MAX_LISTED = 30;

export function describeDataset({ classNames, imageShape, splits, report }: CheckedDataset): string {
  const { train, validation, test } = splits;
  const numbers = (of: (split: typeof train) => number) =>
    [train, validation, test].flatMap((split) => (split ? [String(of(split))] : []));
  const rows = classNames
    .slice(0, MAX_LISTED)
    .map((name, label) => [name, ...numbers((split) => split.examplesPerClass[label]!)]);
  const more = classNames.length - rows.length;
  const { archive, imageShape: why } = report ?? {};
  const leftOut = [
    [
      archive?.damaged?.images,
      'Damaged images',
      archive?.damaged?.first.map(({ path, reason }) => `${path} (${reason})`),
    ],
    [archive?.table?.withoutRow.files, 'Images without a row', archive?.table?.withoutRow.first],
    [archive?.table?.withoutFile.rows, 'Rows without an image', archive?.table?.withoutFile.first],
    [archive?.ignored.files, 'Other files', archive?.ignored.first],
  ] as const;
  const lines = [
    why ?? formatShape(imageShape),
    ...(archive?.layout ? [`Read as ${archive.layout}.`] : []),
    ...leftOut.flatMap(([count, what, first]) =>
      count ? [`${what}, left out: ${count}, such as ${first!.join(', ')}.`] : [],
    ),
    ...(report?.warnings ?? []).map(({ message }) => `warning: ${message}`),
  ];
  const heading = ['CLASS', ...(validation ? ['TRAIN', 'VALIDATION', 'TEST'] : ['TRAIN', 'TEST'])];
  const rest = more > 0 ? [[`and ${more} more`, ...heading.slice(1).map(() => '')]] : [];
  const table = [heading, ...rows, ...rest, ['all', ...numbers(({ examples }) => examples)]];
  return [formatTable(table), ...lines.map(printable)].join('\n');
}
