/** The values that an option takes in a search: a list, or a range. */
import type { JSX } from 'preact';
import type { ControlAttributes } from '../../../components/field.tsx';
import { setOption, varyPointer } from '../form.ts';
import type { Leaf } from './options.ts';
import { accepts } from './values.ts';
import { parseRange, type Range, rangeText, suggestVariation } from './vary.ts';

export interface VaryControlProps {
  readonly tree: Leaf;
  /** The variation as text. */
  readonly text: string;
  readonly label: string;
  readonly attributes: ControlAttributes;
}

export function VaryControl({ tree, text, label, attributes }: VaryControlProps): JSX.Element {
  const range = parseRange(text);
  const set = (value: string) => setOption(varyPointer(tree.pointer), value);
  const hasRange = accepts(tree.schema, 'number') || accepts(tree.schema, 'integer');
  return (
    <div class="train-vary">
      {hasRange && !accepts(tree.schema, 'array') && (
        <select
          aria-label={`Kind of variation of ${label}`}
          value={range?.scale ?? 'values'}
          onChange={(event) => {
            const scale = event.currentTarget.value;
            if (scale === 'values') set(suggestVariation(tree));
            else set(rangeText({ ...(range ?? ends(text)), scale: scale === 'log' ? 'log' : 'linear' }));
          }}
        >
          <option value="values">values</option>
          <option value="linear">range, linear</option>
          <option value="log">range, log</option>
        </select>
      )}
      {range === null ? (
        <input
          {...attributes}
          type="text"
          autocomplete="off"
          value={text}
          onInput={(event) => set(event.currentTarget.value)}
        />
      ) : (
        (['min', 'max', 'points'] as const).map((part, i) => (
          <input
            {...(i === 0 ? attributes : { 'aria-invalid': attributes['aria-invalid'] })}
            key={part}
            type="text"
            inputMode="decimal"
            autocomplete="off"
            aria-label={`${label}: ${part}`}
            placeholder={part}
            value={range[part]}
            onInput={(event) =>
              set(rangeText({ ...range, [part]: event.currentTarget.value.replaceAll(/\s/g, '') }))
            }
          />
        ))
      )}
    </div>
  );
}

/** The range from the smallest to the largest of a list of numbers. */
function ends(text: string): Omit<Range, 'scale'> {
  const numbers = text.split(',').map(Number).filter(Number.isFinite);
  return { min: String(Math.min(...numbers)), max: String(Math.max(...numbers)), points: '' };
}
