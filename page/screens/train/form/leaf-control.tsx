/** The control of one option: a list of names, or a text that the service checks. */
import type { JSX } from 'preact';
import type { DatasetSummary } from '../../../../src/domain/datasets/representation.ts';
import type { ControlAttributes } from '../../../components/field.tsx';
import { setOption } from '../form.ts';
import type { Leaf } from './options.ts';
import { accepts, enumNames, NULL } from './values.ts';

export function LeafControl({
  tree: { pointer, schema, text, default: standard },
  attributes,
  datasets,
}: {
  readonly tree: Leaf;
  readonly attributes: ControlAttributes;
  readonly datasets: readonly DatasetSummary[];
}): JSX.Element {
  const isDataset = pointer === '/dataset';
  const names = isDataset ? datasets.map(({ id }) => id) : enumNames(schema);
  const isListed = text === '' || names?.includes(text);
  // A data set that does not exist is also listed, so another one can be chosen.
  if (names && (isListed || isDataset)) {
    return (
      <select
        {...attributes}
        value={text}
        onChange={(event) => setOption(pointer, event.currentTarget.value || null)}
      >
        {!isListed && <option value={text}>{text}</option>}
        {!isDataset && standard === '' && <option value="">default</option>}
        {names.map((name) => (
          <option key={name} value={name}>
            {(isDataset && datasets.find(({ id }) => id === name)?.name) || (name === NULL ? 'none' : name)}
          </option>
        ))}
      </select>
    );
  }
  if (pointer.endsWith('/secret')) {
    return (
      <input
        {...attributes}
        type="password"
        autocomplete="off"
        value={text}
        onInput={(event) => setOption(pointer, event.currentTarget.value)}
      />
    );
  }
  const isNumber = accepts(schema, 'number') || accepts(schema, 'integer');
  return (
    <input
      {...attributes}
      type="text"
      inputMode={isNumber && !accepts(schema, 'string') ? 'decimal' : 'text'}
      autocomplete="off"
      spellcheck={false}
      placeholder={standard}
      value={text}
      onInput={(event) => setOption(pointer, event.currentTarget.value)}
      onBlur={() => {
        if (text.trim() === '' || text === standard) setOption(pointer, null);
      }}
    />
  );
}
