/** Summary of a version: accuracy and how far it can be trusted, network, origin, digest. */
import type { ComponentChildren, JSX } from 'preact';
import type { TestSetUse } from '../../../src/domain/models/test-set.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { bytes, count, dateTime, percent, shapeText } from '../../format.ts';
import { links } from '../../router.ts';
import { Source } from '../models/version-table.tsx';
import type { ShownVersion } from './shown-version.ts';

export function Summary({ version }: { readonly version: ShownVersion }): JSX.Element {
  const { name, inputShape, layers, activation, lineage, createdAt, digest, aliases, description, tags } =
    version;
  const { testSet, testAccuracy, metadata, parameters } = version;
  const assumed = lineage.import?.assumed ?? [];
  return (
    <div class="columns model-summary">
      <section class="box" aria-label="Accuracy">
        <p>
          <span class="model-accuracy">{testAccuracy === null ? 'not measured' : percent(testAccuracy)}</span>{' '}
          <span class="note">test accuracy</span>
        </p>
        {testSet && <Trust testSet={testSet} />}
      </section>
      <Facts
        label="Origin"
        facts={[
          [
            'Model',
            <a key="name" href={links.model(name)}>
              {name}
            </a>,
          ],
          ['Images', shapeText(inputShape)],
          ['Network', `${layers}, ${activation}`],
          ['Parameters', `${count(parameters)} · ${bytes(4 * parameters)}`],
          ['Published', dateTime(createdAt)],
          ['Source', <Source key="source" version={version} />],
          ['Data set', <DatasetLink key="dataset" id={lineage.dataset?.id} />],
          lineage.parent && ['Started from', <Parent key="parent" {...lineage.parent} />],
          ...lineage.teachers.map(
            (teacher): Fact => ['Learned from', <Parent key={teacher.name} {...teacher} />],
          ),
          assumed.length > 0 && ['Assumed', assumed.join(', ')],
          aliases.length > 0 && ['Aliases', aliases.join(', ')],
          tags.length > 0 && ['Tags', tags.join(', ')],
          ...Object.entries(metadata).map(([key, value]): Fact => [key, value]),
          description !== null && ['Description', description],
          ['Digest', <code key="digest">{digest}</code>],
        ]}
      />
    </div>
  );
}

function Trust({ testSet }: { readonly testSet: TestSetUse }): JSX.Element {
  const { looks, chosenBy, interval, intervalOfBest } = testSet;
  return (
    <>
      <dl class="facts">
        {interval && <RangeFact name="95 % interval" {...interval} />}
        {intervalOfBest && (
          <RangeFact name={`Best of ${count(intervalOfBest.looks)} looks`} {...intervalOfBest} />
        )}
        <dt>Looks</dt>
        <dd>
          {count(looks.total)} at this test set, {count(looks.before)} before publication,{' '}
          {count(looks.lineage)} by its lineage
        </dd>
      </dl>
      {intervalOfBest && (
        <p class="note">
          {chosenBy === 'validation'
            ? 'The version was chosen by its validation split, so the interval of its accuracy holds.'
            : 'Test results may have guided the choice of this version, so its accuracy may be the best of the looks before it.'}
        </p>
      )}
    </>
  );
}

function RangeFact(props: { readonly name: string; readonly low: number; readonly high: number }) {
  return (
    <>
      <dt>{props.name}</dt>
      <dd>
        {(100 * props.low).toFixed(2)} – {percent(props.high)}
      </dd>
    </>
  );
}

type Fact = readonly [name: string, value: ComponentChildren] | null | false;

function Facts({ label, facts }: { readonly label: string; readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <section class="box" aria-label={label}>
      <dl class="facts">
        {facts.map(
          (fact) =>
            fact && (
              <>
                <dt>{fact[0]}</dt>
                <dd>{fact[1]}</dd>
              </>
            ),
        )}
      </dl>
    </section>
  );
}

function DatasetLink({ id }: { readonly id: string | undefined }): JSX.Element {
  return id === undefined ? (
    <>unknown</>
  ) : (
    <a href={links.dataset(id)}>
      <DatasetName id={id} />
    </a>
  );
}

function Parent({ name, version }: { readonly name: string; readonly version: number }): JSX.Element {
  const isCheckpoint = name.startsWith('job_');
  return (
    <a href={isCheckpoint ? links.job(name) : links.modelVersion(name, version)}>
      {isCheckpoint ? `step ${version} of …${name.slice(-6)}` : `${name}@${version}`}
    </a>
  );
}
