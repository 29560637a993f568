/** Two versions at the same coverage: how many images each answers, and how often it is right then. */
import type { JSX } from 'preact';
import type { ShownCoverage } from '../../src/domain/checks/coverage.ts';
import type { ModelComparison } from '../../src/domain/checks/evaluation.ts';
import { requestJson } from '../api/client.ts';
import { useAction } from '../api/use-action.ts';
import { percent } from '../format.ts';
import { Button } from './button.tsx';
import { ProblemBox } from './feedback/problem-box.tsx';
import { Table } from './table.tsx';

const COVERAGE = 0.95;

export function EqualCoverage({ result }: { readonly result: ModelComparison }): JSX.Element {
  const { model, other, dataset, split } = result;
  const measured = useAction((signal) =>
    Promise.all(
      [model, other].map(({ name, version }) =>
        requestJson<ShownCoverage>(
          `/v1/models/${encodeURIComponent(name)}/versions/${version}/evaluation/coverage?${new URLSearchParams({ dataset, split })}`,
          { signal, isRecorded: false },
        ),
      ),
    ),
  );
  return (
    <section class="box" aria-label="Equal coverage">
      {measured.result === null ? (
        <Button isBusy={measured.isBusy} onClick={measured.run}>
          Compare at a coverage of 95 %
        </Button>
      ) : (
        <Table
          caption="At a coverage of 95 %"
          rows={measured.result.map((report) => ({
            ...report.model,
            ...report.levels.find(({ coverage }) => coverage === COVERAGE)!,
          }))}
          keyOf={({ name, version }) => `${name}@${version}`}
          columns={[
            { name: 'At a coverage of 95 %', cell: ({ name, version }) => `${name}@${version}` },
            { name: 'Answered', isNumber: true, cell: ({ unsure }) => percent(1 - unsure) },
            { name: 'Accuracy', isNumber: true, cell: ({ sureAccuracy }) => percent(sureAccuracy) },
            { name: 'Measured', isNumber: true, cell: ({ measured: covered }) => percent(covered) },
          ]}
        />
      )}
      {measured.problem && <ProblemBox problem={measured.problem} />}
    </section>
  );
}
