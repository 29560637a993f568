/** The report of an upload: warnings, duplicates, and what the files held. */
import { Fragment, type JSX } from 'preact';
import type { ArrayReport, DatasetReport, Duplicates } from '../../../src/domain/datasets/report.ts';
import { type Column, Table } from '../../components/table.tsx';
import { count, percent, significant } from '../../format.ts';

const DUPLICATE_COLUMNS: readonly Column<Duplicates & { readonly where: string }>[] = [
  { name: 'Repeated images', cell: ({ where }) => where },
  { name: 'Images', isNumber: true, cell: ({ images }) => count(images) },
  { name: 'With another label', isNumber: true, cell: ({ withOtherLabel }) => count(withOtherLabel) },
  { name: 'First pairs', cell: ({ first }) => first.map(([a, b]) => `${a} = ${b}`).join(', ') || '–' },
];

const OF_VALIDATION = {
  validation: 'within the validation images',
  validationInTrain: 'validation images that are training images (training = validation)',
  testInValidation: 'test images that are validation images (validation = test)',
} as const;

const ARRAY_COLUMNS: readonly Column<ArrayReport>[] = [
  { name: 'Array', cell: ({ part }) => <code>{part}</code> },
  { name: 'Format', cell: ({ format, dtype }) => `${format}, ${dtype}` },
  { name: 'Shape', cell: ({ shape }) => shape.map(count).join(' × ') },
  {
    name: 'Range',
    cell: ({ minimum, maximum }) => `${significant(minimum, 3)} to ${significant(maximum, 3)}`,
  },
];

type Archive = NonNullable<DatasetReport['archive']>;

/** Files that the archive holds and the data set does not: their number, and the first of them. */
const leftOut = ({ ignored, damaged, table }: Archive) =>
  [
    { what: 'Other files, ignored', number: ignored.files, first: ignored.first },
    {
      what: 'Damaged images, left out',
      number: damaged?.images ?? 0,
      first: damaged?.first.map(({ path }) => path) ?? [],
    },
    {
      what: 'Images without a row, left out',
      number: table?.withoutRow.files ?? 0,
      first: table?.withoutRow.first ?? [],
    },
    {
      what: 'Rows without an image',
      number: table?.withoutFile.rows ?? 0,
      first: table?.withoutFile.first ?? [],
    },
  ].filter(({ number }) => number > 0);

export function Report({ report }: { readonly report: DatasetReport }): JSX.Element {
  const { warnings, duplicates, arrays, archive, imageShape, pixels, heldOut, constantImages } = report;
  const rows = [
    { where: 'within the training images', ...duplicates.train },
    { where: 'within the test images', ...duplicates.test },
    { where: 'test images that are training images (training = test)', ...duplicates.across },
    ...Object.entries(OF_VALIDATION).flatMap(([name, where]) => {
      const found = duplicates[name as keyof typeof OF_VALIDATION];
      return found === undefined ? [] : [{ where, ...found }];
    }),
  ];
  return (
    <section class="box">
      <h2>Report of the upload</h2>
      {warnings.length === 0 ? (
        <p>There are no warnings.</p>
      ) : (
        <ul class="data-warnings">
          {warnings.map(({ code, message }) => (
            <li key={code}>
              {message} <code>{code}</code>
            </li>
          ))}
        </ul>
      )}
      <Table caption="Repeated images" columns={DUPLICATE_COLUMNS} rows={rows} keyOf={({ where }) => where} />
      <dl class="facts">
        {archive?.layout && (
          <>
            <dt>Read as</dt>
            <dd>{archive.layout}</dd>
          </>
        )}
        {archive && (
          <>
            <dt>Images in the archive</dt>
            <dd>
              {count(archive.images)}, from {archive.smallest.join(' × ')} to {archive.largest.join(' × ')}{' '}
              pixels
            </dd>
            {leftOut(archive).map(({ what, number, first }) => (
              <Fragment key={what}>
                <dt>{what}</dt>
                <dd>
                  {count(number)}: {first.join(', ')}
                </dd>
              </Fragment>
            ))}
          </>
        )}
        {imageShape !== undefined && (
          <>
            <dt>Shape</dt>
            <dd>{imageShape}</dd>
          </>
        )}
        <dt>Test images</dt>
        <dd>
          {heldOut === null
            ? 'sent separately'
            : `split off: ${percent(heldOut.fraction, 0)} of every class, with seed ${heldOut.seed}`}
        </dd>
        <dt>Pixels</dt>
        <dd>
          {pixels.range}, {count(pixels.rounded)} rounded
        </dd>
        <dt>Images of one colour</dt>
        <dd>
          {count(constantImages.train)} for training,{' '}
          {constantImages.validation !== undefined && `${count(constantImages.validation)} for validation, `}
          {count(constantImages.test)} for testing
        </dd>
      </dl>
      {arrays.length > 0 && (
        <Table
          caption="Arrays of the upload"
          columns={ARRAY_COLUMNS}
          rows={arrays}
          keyOf={({ part }) => part}
        />
      )}
    </section>
  );
}
