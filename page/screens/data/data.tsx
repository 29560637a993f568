/** Screen: the data sets, and the form that uploads another one. */
import type { JSX } from 'preact';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import type { List } from '../../api/list.ts';
import { useResource } from '../../api/use-resource.ts';
import { EmptyState } from '../../components/feedback/empty-state.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Screen } from '../../components/screen.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { count, dateTime, shapeText } from '../../format.ts';
import { links } from '../../router.ts';
import { UploadForm } from './upload-form.tsx';

const COLUMNS: readonly Column<DatasetSummary>[] = [
  { name: 'Name', cell: ({ id, name }) => <a href={links.dataset(id)}>{name ?? id}</a> },
  { name: 'Shape', cell: ({ imageShape }) => shapeText(imageShape) },
  { name: 'Classes', isNumber: true, cell: ({ classNames }) => count(classNames.length) },
  { name: 'Training images', isNumber: true, cell: ({ splits }) => count(splits.train.examples) },
  {
    name: 'Validation images',
    isNumber: true,
    cell: ({ splits: { validation } }) => (validation === undefined ? '–' : count(validation.examples)),
  },
  { name: 'Test images', isNumber: true, cell: ({ splits }) => count(splits.test.examples) },
  { name: 'Uploaded', cell: ({ createdAt }) => (createdAt === null ? 'built in' : dateTime(createdAt)) },
  { name: 'Digest', cell: ({ digest }) => <code title={digest}>{digest.slice('sha256:'.length, 19)}…</code> },
];

export function Data(): JSX.Element {
  const list = useResource<List<DatasetSummary>>('/v1/datasets?limit=100');
  return (
    <Screen title="Data">
      <Loaded resource={list} lines={4}>
        {({ data, hasMore }) =>
          data.length === 0 ? (
            <EmptyState
              text="There is no data set yet. Upload images in folders that have the names of their classes."
              action={{
                name: 'Choose a file',
                onClick: () => document.getElementById('upload-file')?.click(),
              }}
              request={{ method: 'POST', path: '/v1/datasets', form: { file: { name: 'images.zip' } } }}
            />
          ) : (
            <div class="box">
              <Table caption="Data sets" columns={COLUMNS} rows={data} keyOf={({ id }) => id} />
              {hasMore && <p class="note">These are the 100 newest data sets.</p>}
            </div>
          )
        }
      </Loaded>
      <section class="box">
        <h2>Upload a data set</h2>
        <UploadForm />
      </section>
    </Screen>
  );
}
