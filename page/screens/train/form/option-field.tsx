/** One option of the form and, for groups, those below it. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { DatasetSummary } from '../../../../src/domain/datasets/representation.ts';
import { Field } from '../../../components/field.tsx';
import { count, shapeText } from '../../../format.ts';
import { setOption, varyPointer } from '../form.ts';
import { optionName } from './groups.ts';
import { LeafControl } from './leaf-control.tsx';
import { describeLimits } from './limits.ts';
import type { OptionErrors } from './option-errors.ts';
import {
  type Leaf,
  type Setting,
  type Switch,
  switchText,
  type Tree,
  typePointer,
  type Union,
} from './options.ts';
import { accepts } from './values.ts';
import { isVaried, suggestVariation } from './vary.ts';
import { VaryControl } from './vary-control.tsx';

export interface OptionProps<T extends Tree> {
  readonly tree: T;
  readonly setting: Setting;
  readonly errors: OptionErrors;
  readonly datasets: readonly DatasetSummary[];
}

export const fieldId = (pointer: string): string => `option${pointer.replaceAll('/', '-')}`;

export function OptionField({ tree, ...rest }: OptionProps<Tree>): JSX.Element {
  switch (tree.kind) {
    case 'leaf':
      return <LeafField tree={tree} {...rest} />;
    case 'union':
      return <UnionFields tree={tree} {...rest} />;
    case 'switch':
      return <SwitchFields tree={tree} {...rest} />;
    default:
      return (
        <>
          {tree.children.map((child) => (
            <OptionField key={child.pointer} tree={child} {...rest} />
          ))}
        </>
      );
  }
}

function LeafField({ tree, setting, errors, datasets }: OptionProps<Leaf>): JSX.Element {
  const { pointer, name } = tree;
  const label = optionName(name);
  const vary = varyPointer(pointer);
  const varied = isVaried(tree) ? setting[vary] : undefined;
  const toggleRef = useRef<HTMLInputElement>(null);
  const wasToggled = useRef(false);
  // The field of a boolean is replaced by a text field, and its toggle with it.
  useEffect(() => {
    if (wasToggled.current) toggleRef.current?.focus({ preventScroll: true });
    wasToggled.current = false;
  }, [varied === undefined]);
  const hint =
    pointer === '/dataset'
      ? describeDataset(datasets.find(({ id }) => id === tree.text))
      : [tree.description, describeLimits(tree)].filter(Boolean).join('. ');
  const toggle = isVaried(tree) && (
    <label class="check note">
      <input
        ref={toggleRef}
        type="checkbox"
        checked={varied !== undefined}
        aria-label={`Vary ${label}`}
        onChange={() => {
          wasToggled.current = true;
          setOption(vary, varied === undefined ? suggestVariation(tree) : null);
        }}
      />
      vary
    </label>
  );
  if (accepts(tree.schema, 'boolean') && varied === undefined) {
    return <CheckField tree={tree} label={label} error={errors[pointer]} toggle={toggle} />;
  }
  return (
    <Field
      id={fieldId(pointer)}
      label={label}
      error={errors[varied === undefined ? pointer : vary]}
      extra={toggle}
      {...(hint !== '' && { hint })}
    >
      {(attributes) =>
        varied === undefined ? (
          <LeafControl tree={tree} attributes={attributes} datasets={datasets} />
        ) : (
          <VaryControl tree={tree} text={varied} label={label} attributes={attributes} />
        )
      }
    </Field>
  );
}

function describeDataset(dataset: DatasetSummary | undefined): string {
  if (dataset === undefined) return '';
  const { imageShape, classNames, splits } = dataset;
  const validated = splits.validation
    ? `, validation split of ${count(splits.validation.examples)} images`
    : '';
  return `Images of ${shapeText(imageShape)}, ${count(classNames.length)} classes${validated}`;
}

function CheckField({
  tree: { pointer, text, description },
  label,
  error,
  toggle,
}: {
  readonly tree: Leaf;
  readonly label: string;
  readonly error: string | undefined;
  readonly toggle: JSX.Element | false;
}): JSX.Element {
  const id = fieldId(pointer);
  return (
    <div class="field">
      <div class="field-head">
        <label class="check">
          <input
            id={id}
            type="checkbox"
            checked={text === 'true'}
            aria-describedby={description === '' ? undefined : `${id}-hint`}
            aria-invalid={error === undefined ? undefined : true}
            onChange={(event) => setOption(pointer, String(event.currentTarget.checked))}
          />
          {label}
        </label>
        {toggle}
      </div>
      <div class="field-body">
        {description !== '' && (
          <p class="hint" id={`${id}-hint`}>
            {description}
          </p>
        )}
        {error !== undefined && <p class="field-error">{error}</p>}
      </div>
    </div>
  );
}

function UnionFields({ tree, errors, ...rest }: OptionProps<Union>): JSX.Element {
  const { pointer, name, types, chosen, description } = tree;
  const error = errors[pointer];
  return (
    <>
      <Field
        id={fieldId(pointer)}
        label={optionName(name)}
        error={error}
        {...(description !== '' && { hint: description })}
      >
        {(attributes) => (
          <select
            {...attributes}
            value={chosen}
            onChange={(event) => setOption(typePointer(tree), event.currentTarget.value)}
          >
            {types.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
        )}
      </Field>
      {tree.children.map((child) => (
        <OptionField key={child.pointer} tree={child} errors={errors} {...rest} />
      ))}
    </>
  );
}

function SwitchFields({ tree, errors, ...rest }: OptionProps<Switch>): JSX.Element {
  const { pointer, name, description, isOn, isOnByDefault } = tree;
  const id = fieldId(pointer);
  return (
    <>
      <div class="field">
        <label class="check">
          <input
            id={id}
            type="checkbox"
            checked={isOn}
            aria-describedby={`${id}-hint`}
            onChange={() => setOption(pointer, isOn === isOnByDefault ? switchText(!isOn) : null)}
          />
          {optionName(name)}
        </label>
        <div class="field-body">
          <p class="hint" id={`${id}-hint`}>
            {description}
          </p>
          {errors[pointer] !== undefined && <p class="field-error">{errors[pointer]}</p>}
        </div>
      </div>
      {isOn &&
        tree.children.map((child) => (
          <OptionField key={child.pointer} tree={child} errors={errors} {...rest} />
        ))}
    </>
  );
}
