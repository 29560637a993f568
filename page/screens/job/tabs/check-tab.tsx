/** Tab: the gradient check before the training, and on demand one of each block. */
import type { JSX } from 'preact';
import type { GradientCheck } from '../../../../src/domain/checks/gradient.ts';
import type { GradientCheckSummary, TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { send } from '../../../api/client.ts';
import { useAction } from '../../../api/use-action.ts';
import { Button } from '../../../components/button.tsx';
import { ProblemBox } from '../../../components/feedback/problem-box.tsx';
import { Table } from '../../../components/table.tsx';
import { count, duration, significant } from '../../../format.ts';

export function CheckTab({ job }: { readonly job: TrainingJob }): JSX.Element {
  const { dataset, network, seed, warmStart, gradientCheckReport } = job;
  const checked = warmStart === null ? { network } : { model: warmStart };
  const check = useAction((signal) =>
    send<GradientCheck>('/v1/gradient-checks', { dataset, seed, ...checked }, { signal }),
  );
  return (
    <div class="stack">
      {gradientCheckReport ? (
        <CheckSummary report={gradientCheckReport} />
      ) : (
        <p>
          {job.gradientCheck
            ? 'The gradient is checked before the training starts.'
            : 'The request left out the gradient check.'}
        </p>
      )}
      <div class="actions">
        <Button isBusy={check.isBusy} onClick={check.run}>
          Check each block
        </Button>
        <span class="note">The gradient at the initial parameters, against finite differences.</span>
      </div>
      {check.problem && <ProblemBox problem={check.problem} />}
      {check.result && <Blocks report={check.result} />}
    </div>
  );
}

function CheckSummary({ report }: { readonly report: GradientCheckSummary }): JSX.Element {
  const { passed, reason, advice, relativeError, tolerance, coordinates, kinks, kernel } = report;
  return (
    <>
      <p>
        <strong>
          {passed
            ? 'The gradient check before the training passed.'
            : `The gradient check before the training failed: ${reason}.`}
        </strong>{' '}
        {advice}
      </p>
      <dl class="facts">
        <dt>Relative error</dt>
        <dd>
          {significant(relativeError, 2)}, tolerance {significant(tolerance, 2)}
        </dd>
        <dt>Coordinates</dt>
        <dd>
          {count(coordinates)}, {count(kinks)} with a kink
        </dd>
        {kernel && (
          <>
            <dt>Kernel</dt>
            <dd>
              {kernel.name}, differs from the reference by {significant(kernel.maxRelativeDifference, 2)}
            </dd>
          </>
        )}
      </dl>
    </>
  );
}

function Blocks({ report }: { readonly report: GradientCheck }): JSX.Element {
  return (
    <>
      <p aria-live="polite">
        <strong>{report.passed ? 'Passed' : `Failed: ${report.reason}`}</strong> in{' '}
        {duration(report.durationMs / 1000)}: {count(report.coordinates)} coordinates, relative error{' '}
        {significant(report.relativeError, 2)}. {report.advice}
      </p>
      <Table
        caption="Gradient check by block"
        rows={report.blocks}
        keyOf={({ name }) => name}
        columns={[
          { name: 'Block', cell: ({ name, shape }) => `${name} (${shape.join(' × ')})` },
          { name: 'Result', cell: ({ passed }) => (passed ? '✓ passed' : '✗ failed') },
          {
            name: 'Relative error',
            isNumber: true,
            cell: ({ relativeError }) => significant(relativeError, 2),
          },
          { name: 'Coordinates', isNumber: true, cell: ({ coordinates }) => count(coordinates) },
          { name: 'Kinks', isNumber: true, cell: ({ kinks }) => count(kinks) },
          {
            name: 'Worst: analytic',
            isNumber: true,
            cell: ({ worst }) => (worst === null ? '–' : significant(worst.analytic)),
          },
          {
            name: 'numeric',
            isNumber: true,
            cell: ({ worst }) => (worst === null ? '–' : significant(worst.numeric)),
          },
        ]}
      />
    </>
  );
}
