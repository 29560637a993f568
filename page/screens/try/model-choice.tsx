/** The choice of a model and of its version, by number or alias. */
import type { JSX } from 'preact';
import type { Model, ModelVersion } from '../../../src/domain/models/representation.ts';
import type { List } from '../../api/list.ts';
import { useResource } from '../../api/use-resource.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { Field } from '../../components/field.tsx';

export interface ModelChoiceProps {
  readonly models: readonly Model[];
  /** A name, `name@version`, or `job_…@step`. */
  readonly reference: string;
  readonly onChange: (reference: string) => void;
}

export function ModelChoice({ models, reference, onChange }: ModelChoiceProps): JSX.Element {
  const [name = '', version = ''] = reference.split('@');
  const model = models.find((each) => each.name === name);
  const versions = useResource<List<ModelVersion>>(
    name.startsWith('job_') ? null : `/v1/models/${encodeURIComponent(name)}/versions?limit=100`,
    { isRecorded: false },
  );
  const isMissing = versions.problem?.code === 'model-not-found';
  const { champion, ...aliases } = model?.aliases ?? {};
  const numbers = versions.data?.data.map((each) => `${each.version}`) ?? [];
  const isListed = version === '' || aliases[version] !== undefined || numbers.includes(version);
  const isKnown = isListed || versions.data?.hasMore !== false;
  return (
    <div class="try-model">
      <Field
        id="try-model"
        label="Model"
        error={isMissing ? `The model ${name} does not exist. Choose another one.` : undefined}
      >
        {(attributes) => (
          <select {...attributes} value={name} onChange={(event) => onChange(event.currentTarget.value)}>
            {model === undefined && <option value={name}>{name}</option>}
            {models.map((each) => (
              <option key={each.name} value={each.name}>
                <DatasetName id={each.name} />
              </option>
            ))}
          </select>
        )}
      </Field>
      {!isMissing && (
        <Field
          id="try-version"
          label="Version"
          error={isKnown ? undefined : `${name} has no version or alias ${version}. Choose another one.`}
        >
          {(attributes) => (
            <select
              {...attributes}
              value={version}
              onChange={({ currentTarget: { value } }) => onChange(value === '' ? name : `${name}@${value}`)}
            >
              {model && (
                <option value="">{champion === undefined ? 'newest' : `champion → ${champion}`}</option>
              )}
              {!isListed && <option value={version}>{version}</option>}
              {Object.entries(aliases).map(([alias, number]) => (
                <option key={alias} value={alias}>
                  {alias} → {number}
                </option>
              ))}
              {numbers.map((number) => (
                <option key={number} value={number}>
                  {number}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </div>
  );
}
