/** Loads a recipe into the form. */
import type { JSX } from 'preact';
import { recipes, settingOfRequest } from './constants.ts';
import { loadSetting } from './form.ts';

export function Recipes(): JSX.Element {
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
        {Object.keys(recipes).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
