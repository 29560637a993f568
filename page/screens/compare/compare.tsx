/** Screen: up to eight training jobs: their curves in one chart, the options that differ, results, and McNemar's test. */
import type { JSX } from 'preact';
import { plotNames } from '../../../src/charts/plot-names.ts';
import { EmptyState } from '../../components/feedback/empty-state.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Skeleton } from '../../components/feedback/skeleton.tsx';
import { Screen } from '../../components/screen.tsx';
import { links, query } from '../../router.ts';
import { DifferingOptions } from './differing-options.tsx';
import { ModelTest } from './model-test.tsx';
import { Overlay } from './overlay.tsx';
import { Results } from './results.tsx';
import { useCompared } from './use-compared.ts';

const MAX_COMPARED = 8;

export function Compare(): JSX.Element {
  const ids = [...new Set(query.value.split(',').filter(Boolean).map(decode))].slice(0, MAX_COMPARED);
  const { jobs, problems } = useCompared(ids);
  const names = jobs === null ? [] : plotNames(jobs.map(({ job }) => job));
  const named = jobs?.map((each, i) => ({ ...each, name: names[i]! })) ?? [];
  return (
    <Screen title="Compare jobs">
      {problems.map((problem, i) => (
        <ProblemBox key={i} problem={problem} />
      ))}
      {ids.length === 0 ? (
        <EmptyState
          text="Select two or more jobs in the list to compare them."
          action={{ name: 'Show the jobs', href: links.jobs() }}
        />
      ) : jobs === null ? (
        <Skeleton lines={12} />
      ) : (
        named.length > 0 && (
          <>
            <Overlay jobs={named} />
            <DifferingOptions jobs={named} />
            <Results jobs={named} />
            <ModelTest jobs={named} />
          </>
        )
      )}
    </Screen>
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
