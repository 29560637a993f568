/** Coverage of a version: its calibration, and what makes a new one. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import type { Calibration } from '../../../src/domain/models/calibration.ts';
import { requestJson, send } from '../../api/client.ts';
import type { List } from '../../api/list.ts';
import { useAction } from '../../api/use-action.ts';
import { useDataset } from '../../api/use-dataset.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { DatasetName } from '../../components/dataset-name.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import { count, percent, significant } from '../../format.ts';
import { links } from '../../router.ts';
import { type ShownVersion, versionPath } from './shown-version.ts';

export interface CoverageProps {
  readonly version: ShownVersion;
  /** After a calibration, which can be a look. */
  readonly onChange: () => void;
}

export function Coverage({ version, onChange }: CoverageProps): JSX.Element {
  return (
    <div class="stack">
      {version.calibration === null ? (
        <p>
          The version has no calibration yet. With one,{' '}
          <a href={links.try(`${version.name}@${version.version}`)}>answers have a guarantee</a>: the set of
          classes that contains the true one as often as you want, or that the image is unlike those of the
          training.
        </p>
      ) : (
        <Figures calibration={version.calibration} />
      )}
      <Calibrate version={version} onChange={onChange} />
    </div>
  );
}

function Figures({ calibration }: { readonly calibration: Calibration }): JSX.Element {
  const { dataset, split, images, trainingImages, reused, temperature, warning } = calibration;
  const { expectedCalibrationError: error, loss } = calibration;
  return (
    <section class="box" aria-label="Calibration">
      <dl class="facts">
        <dt>Images</dt>
        <dd>
          {count(images)} {split} images of{' '}
          <a href={links.dataset(dataset)}>
            <DatasetName id={dataset} />
          </a>
          , and {count(trainingImages)} training images to compare with
        </dd>
        <dt>Guarantee</dt>
        <dd>
          {reused
            ? 'approximate: these images also trained the version, chose it, or stopped its training'
            : 'holds: these images had no influence on the version'}
        </dd>
        <dt>Temperature</dt>
        <dd>{significant(temperature)}</dd>
        <dt>Calibration error</dt>
        <dd>
          {percent(error.before)} → {percent(error.after)}
        </dd>
        <dt>Loss</dt>
        <dd>
          {significant(loss.before)} → {significant(loss.after)}
        </dd>
      </dl>
      {warning !== null && <p class="notice">{warning}</p>}
    </section>
  );
}

/** Images to calibrate on. Without a choice, the service takes those that the training held out. */
const SOURCES = {
  heldOut: 'Validation images, which the training held out',
  validation: 'Validation split of the data set; approximate if it trained or chose the version',
  test: 'Test images; the first use counts as a look',
  train: 'Every second training image; the guarantee is approximate',
};
type Source = keyof typeof SOURCES;

function Calibrate({ version, onChange }: CoverageProps): JSX.Element {
  const trainedOn = version.lineage.dataset?.id;
  const datasets = useResource<List<DatasetSummary>>(
    trainedOn === undefined ? '/v1/datasets?limit=100' : null,
    { isRecorded: false },
  );
  const isFirst = version.calibration === null && trainedOn !== undefined;
  const [chosenSource, setSource] = useState<Source>(isFirst ? 'heldOut' : 'test');
  const [chosen, setChosen] = useState<string>();
  const dataset = trainedOn ?? chosen ?? datasets.data?.data[0]?.id;
  const isSplit = useDataset(dataset).data?.splits.validation !== undefined;
  const isOffered = (name: Source) =>
    // A version that has a calibration gets no other one from the images that its training held out.
    name === 'heldOut' ? isFirst : name !== 'validation' || isSplit;
  const source = isOffered(chosenSource) ? chosenSource : 'test';
  const path = `${versionPath(version.name, version.version)}/calibration`;
  const { isBusy, problem, run } = useAction(async (signal) => {
    await (source === 'heldOut'
      ? requestJson(path, { signal })
      : send(path, { dataset, split: source }, { signal }));
    onChange();
  });
  return (
    <form
      class="box"
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
    >
      <Field id="calibrate-source" label="Calibrate on">
        {(attributes) => (
          <select
            {...attributes}
            value={source}
            onChange={(event) => setSource(event.currentTarget.value as Source)}
          >
            {(Object.keys(SOURCES) as Source[]).filter(isOffered).map((name) => (
              <option key={name} value={name}>
                {SOURCES[name]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {trainedOn === undefined && (
        <Field id="calibrate-dataset" label="Data set">
          {(attributes) => (
            <select
              {...attributes}
              value={dataset}
              onChange={(event) => setChosen(event.currentTarget.value)}
            >
              {datasets.data?.data.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name ?? id}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {version.calibration === null ? 'Calibrate' : 'Calibrate again'}
        </Button>
      </div>
      {problem && <ProblemBox problem={problem} />}
    </form>
  );
}
