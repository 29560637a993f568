/** Screen: one data set, with its classes, its images and the report of its upload. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Screen } from '../../components/screen.tsx';
import { count, dateTime, shapeText } from '../../format.ts';
import { links, query } from '../../router.ts';
import { Classes } from './classes.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { Images } from './images.tsx';
import { Report } from './report.tsx';

/** Shown after an upload, by the query of the address. */
const NOTICES: Readonly<Record<string, string>> = {
  new: 'The data set has been uploaded and checked.',
  known: 'The service had this data set already. Nothing has changed, and its name is the one it had.',
};

export function Dataset({ id }: { readonly id: string }): JSX.Element {
  const [isDeleting, setDeleting] = useState(false);
  const resource = useResource<DatasetSummary>(`/v1/datasets/${encodeURIComponent(id)}`);
  const { data } = resource;
  const title = data?.name ?? id;
  const notice = NOTICES[query.value];
  return (
    <Screen
      title={title}
      actions={
        data && (
          <>
            <Button kind="primary" href={links.train(`dataset=${encodeURIComponent(id)}`)}>
              Train on it
            </Button>
            {data.createdAt !== null && (
              <Button kind="danger" onClick={() => setDeleting(true)}>
                Delete
              </Button>
            )}
          </>
        )
      }
    >
      {notice !== undefined && <p role="status">{notice}</p>}
      <Loaded resource={resource} lines={12}>
        {(dataset) => (
          <>
            <div class="columns">
              <Facts dataset={dataset} />
              <Classes dataset={dataset} />
            </div>
            {dataset.report !== null && <Report report={dataset.report} />}
            <Images dataset={dataset} />
          </>
        )}
      </Loaded>
      {isDeleting && <DeleteDialog id={id} name={title} onClose={() => setDeleting(false)} />}
    </Screen>
  );
}

function Facts({ dataset }: { readonly dataset: DatasetSummary }): JSX.Element {
  const { id, createdAt, imageShape, splits, digest, preprocessing } = dataset;
  return (
    <section class="box">
      <h2>Data set</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd>
          <code>{id}</code>
        </dd>
        <dt>Uploaded</dt>
        <dd>{createdAt === null ? 'built in' : dateTime(createdAt)}</dd>
        <dt>Shape of the images</dt>
        <dd>{shapeText(imageShape)}</dd>
        <dt>Training images</dt>
        <dd>{count(splits.train.examples)}</dd>
        {splits.validation !== undefined && (
          <>
            <dt>Validation images</dt>
            <dd>{count(splits.validation.examples)}</dd>
          </>
        )}
        <dt>Test images</dt>
        <dd>{count(splits.test.examples)}</dd>
        <dt>Looks at the test set</dt>
        <dd>{count(splits.test.looks ?? 0)}</dd>
        <dt>Preprocessing</dt>
        <dd>
          {preprocessing === null
            ? 'none, the images are arrays'
            : `fit ${preprocessing.fit}, background ${preprocessing.background}, invert ${preprocessing.invert}`}
        </dd>
        <dt>Digest</dt>
        <dd>
          <code>{digest}</code>
        </dd>
      </dl>
      <p class="note">
        A look is a result on the test images that the service has revealed. Choosing by many looks makes the
        test accuracy too good.
      </p>
    </section>
  );
}
