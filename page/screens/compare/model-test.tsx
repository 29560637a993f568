/** McNemar's test of two models on the same test images, on demand, because it may count as a look at the test set. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ModelComparison } from '../../../src/domain/evaluation.ts';
import { requestJson } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { ProblemBox } from '../../components/problem-box.tsx';
import { Table } from '../../components/table.tsx';
import { count, percent, significant } from '../../format.ts';
import type { NamedJob } from './compare.tsx';

export function ModelTest({ jobs }: { readonly jobs: readonly NamedJob[] }): JSX.Element | null {
  const published = jobs.filter(({ job }) => job.model !== null);
  const [chosen, setChosen] = useState<readonly [number, number]>([0, 1]);
  const [first, second] = [published[chosen[0]], published[chosen[1]]];
  const { isBusy, result, problem, run } = useAction((signal) =>
    compareModels(first!.job.model!, second!.job.model!, signal),
  );
  if (published.length < 2) return null;
  const reason =
    first === second
      ? 'Choose two different models.'
      : first?.job.dataset !== second?.job.dataset
        ? 'The two models were trained on different data sets.'
        : null;
  return (
    <section class="box" aria-labelledby="test">
      <h2 id="test">Is the difference more than chance?</h2>
      <div class="compare-models">
        {(['First model', 'Second model'] as const).map((label, side) => (
          <Field key={label} id={`compare-${side}`} label={label}>
            {(attributes) => (
              <select
                {...attributes}
                value={chosen[side]}
                onChange={({ currentTarget }) =>
                  setChosen(
                    side === 0
                      ? [Number(currentTarget.value), chosen[1]]
                      : [chosen[0], Number(currentTarget.value)],
                  )
                }
              >
                {published.map(({ job, name }, i) => (
                  <option key={job.id} value={i}>
                    {job.model!.name}@{job.model!.version}: {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        ))}
      </div>
      <div class="actions">
        <Button isBusy={isBusy} disabled={reason !== null} onClick={run}>
          Test on the same images
        </Button>
        <span class="note">
          {reason ??
            'McNemar’s test on the test images. The first result of each version counts as a look at the test set.'}
        </span>
      </div>
      {problem && <ProblemBox problem={problem} />}
      {result && <TestResult result={result} />}
    </section>
  );
}

type Version = NonNullable<NamedJob['job']['model']>;

function compareModels(one: Version, other: Version, signal: AbortSignal): Promise<ModelComparison> {
  const path = `/v1/models/${encodeURIComponent(one.name)}/versions/${one.version}/comparison`;
  const reference = encodeURIComponent(`${other.name}@${other.version}`);
  return requestJson(`${path}?with=${reference}`, { signal });
}

function TestResult({ result }: { readonly result: ModelComparison }): JSX.Element {
  const { model, other, counts, mcnemar, accuracy, sentence, classes } = result;
  const nameOf = ({ name, version }: Version) => `${name}@${version}`;
  return (
    <>
      <p aria-live="polite">
        <strong>{sentence}.</strong>
      </p>
      <dl class="facts">
        <dt>{nameOf(model)}</dt>
        <dd>{percent(accuracy.model)}</dd>
        <dt>{nameOf(other)}</dt>
        <dd>{percent(accuracy.other)}</dd>
        <dt>Both correct</dt>
        <dd>{count(counts.n11)}</dd>
        <dt>Only the first</dt>
        <dd>{count(counts.n10)}</dd>
        <dt>Only the second</dt>
        <dd>{count(counts.n01)}</dd>
        <dt>Neither</dt>
        <dd>{count(counts.n00)}</dd>
        <dt>p-value</dt>
        <dd>
          {significant(mcnemar.pValue, 3)} ({mcnemar.method})
        </dd>
      </dl>
      <details>
        <summary>By class</summary>
        <Table
          caption="Correct predictions by class"
          rows={classes}
          keyOf={({ label }) => label}
          columns={[
            { name: 'Class', cell: ({ className }) => className },
            { name: 'Images', isNumber: true, cell: ({ support }) => count(support) },
            { name: nameOf(model), isNumber: true, cell: (row) => percent(row.model) },
            { name: nameOf(other), isNumber: true, cell: (row) => percent(row.other) },
            { name: 'Change', isNumber: true, cell: ({ change }) => percent(change) },
          ]}
        />
      </details>
    </>
  );
}
