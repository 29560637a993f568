/** The fields of a gradient check: subject, data, method. */
import type { ComponentChildren, JSX } from 'preact';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import type { Model } from '../../../src/domain/models/representation.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { networkChoices } from '../train/constants.ts';
import type { CheckField, CheckForm } from './request.ts';

export interface CheckFieldsProps {
  readonly form: CheckForm;
  readonly errors: Partial<Record<CheckField, string>>;
  readonly isBusy: boolean;
  readonly onChange: (form: CheckForm) => void;
}

export function CheckFields({ form, errors, isBusy, onChange }: CheckFieldsProps): JSX.Element {
  const models = useResource<{ data: Model[] }>('/v1/models?limit=100', { isRecorded: false }).data?.data;
  const datasets = useResource<{ data: DatasetSummary[] }>('/v1/datasets?limit=100', { isRecorded: false })
    .data?.data;
  const set = (name: keyof CheckForm, value: string) => onChange({ ...form, [name]: value });

  const field = (
    name: keyof CheckForm,
    label: string,
    hint?: string,
    options?: readonly (string | readonly [value: string, text: string])[],
  ): ComponentChildren => (
    <Field id={`check-${name}`} label={label} hint={hint} error={errors[name]}>
      {(attributes) =>
        options === undefined ? (
          <input
            {...attributes}
            value={form[name]}
            list={name === 'model' ? 'check-models' : undefined}
            onInput={(event) => set(name, event.currentTarget.value)}
          />
        ) : (
          <select
            {...attributes}
            value={form[name]}
            onChange={(event) => set(name, event.currentTarget.value)}
          >
            {options.map((option) => {
              const [value, text] = typeof option === 'string' ? [option, option] : option;
              return (
                <option key={value} value={value}>
                  {text}
                </option>
              );
            })}
          </select>
        )
      }
    </Field>
  );

  return (
    <>
      <div class="columns check-fields">
        <fieldset class="box">
          <legend class="visually-hidden">Network</legend>
          <h2>Network</h2>
          <div class="links">
            {(['network', 'model'] as const).map((subject) => (
              <label key={subject} class="check">
                <input
                  type="radio"
                  name="subject"
                  checked={form.subject === subject}
                  onChange={() => onChange({ ...form, subject })}
                />
                {subject === 'network' ? 'A new network' : 'A trained model'}
              </label>
            ))}
          </div>
          {form.subject === 'model' ? (
            <>
              {field('model', 'Model', 'name, name@version, name@alias, or job_…@step for a checkpoint')}
              <datalist id="check-models">
                {models?.map(({ name }) => (
                  <option key={name} value={name} />
                ))}
              </datalist>
            </>
          ) : (
            <>
              {field(
                'convolutions',
                'Convolutions',
                'Channels of each stage, such as 16, 32 or 32 32, 64 64',
              )}
              {form.convolutions.trim() !== '' &&
                field('norm', 'Normalization', undefined, networkChoices('norm'))}
              {field('hidden', 'Hidden layers', 'Units of each hidden layer, such as 50, 50, 50')}
              {field('activation', 'Activation', undefined, networkChoices('activation'))}
              {field('init', 'Initialization', undefined, networkChoices('init'))}
            </>
          )}
        </fieldset>
        <fieldset class="box">
          <legend class="visually-hidden">Data</legend>
          <h2>Data</h2>
          {field('dataset', 'Data set', undefined, [
            ['', form.subject === 'model' ? 'the model’s' : 'default'],
            ...(datasets?.map(({ id, name }) => [id, name ?? id] as const) ?? []),
          ])}
          {field(
            'examples',
            'Examples',
            'The first training images, 1 to 1,000. Default: 5, or all if there are fewer',
          )}
          {field('seed', 'Seed', 'Of the initial parameters and of a sample')}
        </fieldset>
        <fieldset class="box">
          <legend class="visually-hidden">Method</legend>
          <h2>Method</h2>
          {field('scheme', 'Differences', undefined, ['central', 'forward'])}
          {field(
            'stepSize',
            'Step size',
            'Default: 1e-5, 1e-6 with convolutions, or √2⁻⁵² for forward differences',
          )}
          {field(
            'tolerance',
            'Tolerance',
            'Relative, of each block. Default: 1e-6, or 1e-4 for forward differences',
          )}
          {field(
            'sample',
            'Sample of coordinates',
            'A number, or all. Default: all, or with convolutions as many as take a few seconds',
          )}
        </fieldset>
        <fieldset class="box">
          <legend class="visually-hidden">My gradient</legend>
          <h2>My gradient</h2>
          <Field
            id="check-gradient"
            label="File"
            hint="Optional: your gradient of the mean cross-entropy at the same parameters. .npy of the packed vector, or .npz with the arrays W1, b1, …"
            error={errors.gradient}
          >
            {(attributes) => <input {...attributes} type="file" name="gradient" accept=".npy,.npz" />}
          </Field>
        </fieldset>
      </div>
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Check the gradient
        </Button>
      </div>
    </>
  );
}
