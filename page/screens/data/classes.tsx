/** The classes of a data set, with their numbers of images as a histogram. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { Button } from '../../components/button.tsx';
import { DownloadLink } from '../../components/download-link.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { count, toCsv } from '../../format.ts';

/** All classes are shown up to this number, and else the first ones. */
const MAX_ROWS = 100;
const FEW_ROWS = 30;

interface ClassRow {
  readonly label: number;
  readonly name: string;
  readonly train: number;
  readonly validation: number | undefined;
  readonly test: number;
}

export function Classes({ dataset }: { readonly dataset: DatasetSummary }): JSX.Element {
  const { classNames, splits, id } = dataset;
  const rows = classNames.map((name, label) => ({
    label,
    name,
    train: splits.train.examplesPerClass[label]!,
    validation: splits.validation?.examplesPerClass[label],
    test: splits.test.examplesPerClass[label]!,
  }));
  const [isWhole, setWhole] = useState(rows.length <= MAX_ROWS);
  const most = Math.max(...rows.map(({ train, validation = 0, test }) => Math.max(train, validation, test)));
  const columns: readonly Column<ClassRow>[] = [
    { name: 'Label', isNumber: true, cell: ({ label }) => label },
    { name: 'Class', cell: ({ name }) => <span class="name">{name}</span> },
    { name: 'Train', isNumber: true, cell: ({ train }) => count(train) },
    ...(splits.validation === undefined
      ? []
      : [{ name: 'Validation', isNumber: true, cell: ({ validation }: ClassRow) => count(validation!) }]),
    { name: 'Test', isNumber: true, cell: ({ test }) => count(test) },
    {
      name: <span class="visually-hidden">Bars</span>,
      cell: (row) => <Bars most={most} {...row} />,
    },
  ];
  const csv = toCsv({
    columns: ['label', 'class', 'train', ...(splits.validation === undefined ? [] : ['validation']), 'test'],
    rows: rows.map(({ label, name, train, validation, test }) => [
      ...[label, name, train],
      ...(validation === undefined ? [] : [validation]),
      test,
    ]),
  });
  return (
    <section class="box">
      <h2>Classes</h2>
      <Table
        caption="Images of each class"
        columns={columns}
        rows={isWhole ? rows : rows.slice(0, FEW_ROWS)}
        keyOf={({ label }) => label}
      />
      {!isWhole && (
        <Button kind="quiet" onClick={() => setWhole(true)}>
          Show all {count(rows.length)} classes
        </Button>
      )}
      <span class="links">
        <DownloadLink name="CSV" file={`classes-${id}.csv`} from={{ text: csv }} />
      </span>
    </section>
  );
}

/** Training images above, test images below, validation images between them. The numbers are beside it. */
function Bars({ most, train, validation, test }: ClassRow & { readonly most: number }): JSX.Element {
  const width = (images: number) => `${(images / most) * 100}%`;
  if (validation === undefined) {
    return (
      <svg class="data-bars" aria-hidden="true">
        <rect width={width(train)} height="8" />
        <rect width={width(test)} height="4" y="10" />
      </svg>
    );
  }
  return (
    <svg class="data-bars" aria-hidden="true">
      <rect width={width(train)} height="6" />
      <rect width={width(test)} height="3" y="11" />
      <g class="series-3" fill="currentColor">
        <rect width={width(validation)} height="3" y="7" />
      </g>
    </svg>
  );
}
