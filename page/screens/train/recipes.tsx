/** Loads a recipe into the form. */
import type { JSX } from 'preact';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { recipes, settingOfRequest } from './constants.ts';
import { loadSetting } from './form.ts';

export interface ListedDatasets {
  readonly data: readonly DatasetSummary[];
  readonly hasMore: boolean;
}

/** @param props.datasets null until they are read */
export function Recipes({ datasets }: { readonly datasets: ListedDatasets | null }): JSX.Element {
  const settings = Object.entries(recipes).map(
    ([name, request]) => [name, settingOfRequest(request)] as const,
  );
  const isMissing = (dataset: string | undefined) =>
    dataset !== undefined && datasets?.hasMore === false && datasets.data.every(({ id }) => id !== dataset);
  const { offered = [], missing = [] } = Object.groupBy(settings, ([, setting]) =>
    isMissing(setting['/dataset']) ? 'missing' : 'offered',
  );
  return (
    <label class="train-recipes">
      Recipe
      <select
        value=""
        onChange={(event) => {
          const name = event.currentTarget.value;
          if (name !== '') loadSetting(name === 'defaults' ? {} : settingOfRequest(recipes[name]));
          event.currentTarget.value = '';
        }}
      >
        <option value="">choose …</option>
        <option value="defaults">the defaults</option>
        {offered.map(([name]) => (
          <option key={name}>{name}</option>
        ))}
        {missing.length > 0 && (
          <optgroup label="To upload first, by examples/recipes/README.md" disabled>
            {missing.map(([name]) => (
              <option key={name}>{name}</option>
            ))}
          </optgroup>
        )}
      </select>
    </label>
  );
}
