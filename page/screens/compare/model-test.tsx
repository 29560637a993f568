/** McNemar's test of two models on the same test images, on demand, because it may count as a look at the test set. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ModelComparison } from '../../../src/domain/checks/evaluation.ts';
import { requestJson } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { ComparisonResult } from '../../components/comparison-result.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import type { NamedJob } from './use-compared.ts';

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
    <>
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
      </section>
      {result && <ComparisonResult result={result} />}
    </>
  );
}

type Version = NonNullable<NamedJob['job']['model']>;

function compareModels(one: Version, other: Version, signal: AbortSignal): Promise<ModelComparison> {
  const path = `/v1/models/${encodeURIComponent(one.name)}/versions/${one.version}/comparison`;
  const reference = encodeURIComponent(`${other.name}@${other.version}`);
  return requestJson(`${path}?with=${reference}`, { signal });
}
