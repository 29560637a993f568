/** The images of a data set, by split and class. Both, and the position, are in the query of the address. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import { ApiImage } from '../../components/pixel-image.tsx';
import { count } from '../../format.ts';
import { query, replaceQuery } from '../../router.ts';
import { useLabels } from './use-labels.ts';

const PER_PAGE = 36;

export function Images({ dataset }: { readonly dataset: DatasetSummary }): JSX.Element {
  const { id, classNames, splits } = dataset;
  const chosen = new URLSearchParams(query.value);
  const offered = (['train', 'validation', 'test'] as const).flatMap((name) => {
    const found = splits[name];
    return found === undefined ? [] : [{ name, examples: found.examples }];
  });
  const split = offered.find(({ name }) => name === chosen.get('split'))?.name ?? 'train';
  const label = chosen.get('class');
  const path = `/v1/datasets/${encodeURIComponent(id)}/splits/${split}`;
  const { labels, problem } = useLabels(`${path}/labels`, classNames.length);
  const indices = useMemo(
    () =>
      Array.from(labels ?? [], (each, index) =>
        label === null || each === Number(label) ? index : -1,
      ).filter((index) => index >= 0),
    [labels, label],
  );
  const from = Math.min(Math.max(0, Number(chosen.get('from')) || 0), Math.max(0, indices.length - 1));
  const shown = indices.slice(from, from + PER_PAGE);

  function choose(changes: Readonly<Record<string, string>>): void {
    const next = { split, ...(label !== null && { class: label }), ...changes };
    replaceQuery(new URLSearchParams(Object.entries(next).filter(([, value]) => value !== '')).toString());
  }

  return (
    <section class="box">
      <h2>Images</h2>
      <div class="columns">
        <Field id="data-split" label="Split">
          {(attributes) => (
            <select
              {...attributes}
              value={split}
              onChange={(event) => choose({ split: event.currentTarget.value })}
            >
              {offered.map(({ name, examples }) => (
                <option key={name} value={name}>
                  {name}, {count(examples)} images
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field id="data-class" label="Class">
          {(attributes) => (
            <select
              {...attributes}
              value={label ?? ''}
              onChange={(event) => choose({ class: event.currentTarget.value })}
            >
              <option value="">all</option>
              {classNames.map((name, each) => (
                <option key={name} value={each}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {problem && <ProblemBox problem={problem} />}
      <ul class="data-images">
        {shown.map((index) => {
          const name = classNames[labels![index]!]!;
          return (
            <li key={`${split} ${index}`}>
              <ApiImage path={`${path}/images/${index}`} alt={`${name}, image ${index}`} />
              <span class="note">
                {index}
                {label === null && ` · ${name}`}
              </span>
            </li>
          );
        })}
      </ul>
      <div class="actions">
        <Button disabled={from === 0} onClick={() => choose({ from: String(Math.max(0, from - PER_PAGE)) })}>
          Previous
        </Button>
        <Button
          disabled={from + PER_PAGE >= indices.length}
          onClick={() => choose({ from: String(from + PER_PAGE) })}
        >
          Next
        </Button>
        <span class="number" role="status">
          {shown.length > 0 && `${count(from + 1)}–${count(from + shown.length)} of ${count(indices.length)}`}
          {labels !== null && shown.length === 0 && 'There are no images of this class.'}
        </span>
      </div>
    </section>
  );
}
