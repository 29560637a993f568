/** All options of the form, in groups. */
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { DatasetSummary } from '../../../../src/domain/datasets/representation.ts';
import type { Form } from '../form.ts';
import { groupId, groupOptions, type OptionGroup, SEARCH_GROUP } from './groups.ts';
import type { OptionErrors } from './option-errors.ts';
import { OptionField } from './option-field.tsx';
import { findTree, type Tree, visibleOptions } from './options.ts';

export interface FieldsProps {
  readonly form: Form;
  readonly errors: OptionErrors;
  readonly datasets: readonly DatasetSummary[];
}

export function Fields({ form, errors, datasets }: FieldsProps): JSX.Element {
  const { training, search, isSearch } = form;
  const groups = groupOptions(training).map((group) => ({ group, tree: training as Tree }));
  // At the end, so the option that makes it a search does not move under the pointer.
  if (isSearch) groups.push({ group: SEARCH_GROUP, tree: search });
  return (
    <div class="train-groups">
      {groups.map(({ group, tree }) => (
        <FieldGroup
          key={group.name}
          group={group}
          tree={tree}
          form={form}
          errors={errors}
          datasets={datasets}
        />
      ))}
    </div>
  );
}

function FieldGroup({
  group: { name, isOpen, pointers },
  tree,
  form: { setting },
  errors,
  datasets,
}: FieldsProps & { readonly group: OptionGroup; readonly tree: Tree }): JSX.Element {
  const wasUsed = useRef(false);
  const trees = pointers.flatMap((pointer) => findTree(tree, pointer) ?? []);
  const fields = (
    <div class="train-fields">
      {trees.map((each) => (
        <OptionField key={each.pointer} tree={each} setting={setting} errors={errors} datasets={datasets} />
      ))}
    </div>
  );
  if (isOpen) {
    return (
      <section class="box">
        <h2 id={groupId(name)} tabIndex={-1}>
          {name}
        </h2>
        {fields}
      </section>
    );
  }
  // A group opens if one of its options is set, and only the user closes it.
  const shown = trees.flatMap(visibleOptions).map(({ pointer }) => pointer);
  const isUsed = shown.some(
    (pointer) => setting[pointer] !== undefined || setting[`/vary${pointer}`] !== undefined,
  );
  wasUsed.current ||= isUsed;
  return (
    <details class="box" open={wasUsed.current || undefined}>
      <summary>{name}</summary>
      {fields}
    </details>
  );
}
