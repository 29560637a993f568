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
  const most = Math.max(...rows.map(({ train, test }) => Math.max(train, test)));
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
      cell: ({ train, test }) => <Bars most={most} train={train} test={test} />,
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

/** Training images above, test images below. The numbers are beside it. */
function Bars({
  most,
  train,
  test,
}: {
  readonly most: number;
  readonly train: number;
  readonly test: number;
}): JSX.Element {
  return (
    <svg class="data-bars" aria-hidden="true">
      <rect width={`${(train / most) * 100}%`} height="8" />
      <rect width={`${(test / most) * 100}%`} height="4" y="10" />
    </svg>
  );
}
