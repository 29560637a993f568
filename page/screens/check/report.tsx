/** The report of a gradient check: a verdict, its criteria, and its blocks. */
import type { JSX } from 'preact';
import type { GradientCheck } from '../../../src/domain/checks/gradient.ts';
import { Table } from '../../components/table.tsx';
import { count, duration, significant } from '../../format.ts';

/** Limits of the course for the number that `scipy.optimize.check_grad` computes. */
const COURSE_LIMITS = [
  [0.01, 'one hidden layer'],
  [1e-4, 'three hidden layers'],
] as const;
/** Largest difference of the kernel that a training accepts. */
const KERNEL_LIMIT = 1e-4;

export const scientific = (value: number) => (value === 0 ? '0' : value.toExponential(2));
const limit = (value: number) => (value < 0.01 ? value.toExponential(0) : `${value}`);

export function Report({ report }: { readonly report: GradientCheck }): JSX.Element {
  const { passed, error, relativeError, tolerance, kernel, blocks } = report;
  const criteria = [
    ...COURSE_LIMITS.map(([most, course]) => ({
      name: `‖a − n‖, as check_grad of SciPy prints it (course, ${course})`,
      value: error,
      allowed: `< ${limit(most)}`,
      isMet: error < most,
    })),
    {
      name: '‖a − n‖ / max(‖a‖, ‖n‖), in every block',
      value: relativeError,
      allowed: `≤ ${limit(tolerance)}`,
      isMet: passed,
    },
    ...(kernel === null
      ? []
      : [
          {
            name: `Kernel ${kernel.name} against the float64 reference`,
            value: kernel.maxRelativeDifference,
            allowed: `≤ ${limit(KERNEL_LIMIT)}`,
            isMet: kernel.maxRelativeDifference <= KERNEL_LIMIT,
          },
        ]),
  ];
  return (
    <section class="stack">
      <h2>{passed ? 'Passed' : 'Failed'}</h2>
      <p class={`box check-verdict ${passed ? 'passed' : 'problem'}`}>{verdict(report)}</p>
      <div class="box">
        <Table
          caption="Criteria"
          rows={criteria}
          keyOf={({ name, allowed }) => name + allowed}
          columns={[
            { name: 'Criterion', cell: ({ name }) => <span class="check-criterion">{name}</span> },
            { name: 'Value', isNumber: true, cell: ({ value }) => scientific(value) },
            { name: 'Allowed', isNumber: true, cell: ({ allowed }) => allowed },
            { name: 'Met', cell: ({ isMet }) => <Mark isMet={isMet} /> },
          ]}
        />
      </div>
      <div class="box">
        <h3>Blocks</h3>
        <Table
          caption="Blocks"
          rows={blocks}
          keyOf={({ name }) => name}
          columns={[
            { name: 'Block', cell: ({ name }) => <strong>{name}</strong> },
            { name: 'Passed', cell: (block) => <Mark isMet={block.passed} /> },
            { name: 'Relative error', isNumber: true, cell: (block) => scientific(block.relativeError) },
            {
              name: 'Against the tolerance',
              cell: (block) => <LogBar value={block.relativeError} limit={tolerance} />,
            },
            { name: '‖a − n‖', isNumber: true, cell: (block) => scientific(block.error) },
            { name: 'Shape', isNumber: true, cell: ({ shape }) => shape.join(' × ') },
            { name: 'Coordinates', isNumber: true, cell: ({ coordinates }) => count(coordinates) },
            { name: 'Kinks', isNumber: true, cell: ({ kinks }) => count(kinks) },
            { name: 'allclose', cell: ({ allclose }) => (allclose ? 'yes' : 'no') },
            {
              name: 'Worst',
              cell: ({ worst }) => worst && `[${worst.index.join(', ')}]: ${significant(worst.analytic, 2)}`,
            },
          ]}
        />
        <p class="note">
          a is the analytic gradient, n the numeric one. The bars are relative errors from 1e-16 to 1 on a
          logarithmic scale, and the line is the tolerance. The loss is {significant(report.loss)} nats, the
          step {scientific(report.stepSize)}, the allowance for rounding {scientific(report.noise)}. The check
          took {duration(report.durationMs / 1000)}.
        </p>
      </div>
    </section>
  );
}

const REASONS = {
  'gradient-differs': 'The gradients differ.',
  'too-many-kinks': 'Too many steps cross a kink of ReLU or of pooling.',
  'step-too-small': 'The step is too small for the rounding of float64.',
  'parameters-too-large': 'The parameters are too large.',
} as const satisfies Record<NonNullable<GradientCheck['reason']>, string>;

function verdict({
  reason,
  advice,
  scheme,
  coordinates,
  kinks,
  relativeError,
  tolerance,
}: GradientCheck): string {
  if (reason !== null) return `${REASONS[reason]} ${advice ?? ''}`;
  return (
    `Backpropagation and ${scheme} differences agree in ${count(coordinates)} coordinates to ` +
    `${scientific(relativeError)}, within the tolerance of ${limit(tolerance)}` +
    `${kinks === 0 ? '' : `; ${count(kinks)} steps cross a kink and are not compared`}.`
  );
}

export const Mark = ({ isMet }: { readonly isMet: boolean }) => (
  <span class={`status ${isMet ? 'succeeded' : 'failed'}`}>{isMet ? 'yes' : 'no'}</span>
);

/** Decades from 1e-16 to 1. */
const DECADES = 16;

function LogBar({ value, limit }: { readonly value: number; readonly limit: number }): JSX.Element {
  const at = (number: number) =>
    `${(100 * Math.max(0, Math.min(DECADES, Math.log10(number) + DECADES))) / DECADES}%`;
  return (
    <svg class="check-bar" aria-hidden="true">
      <rect width={at(value)} height="100%" />
      <line x1={at(limit)} x2={at(limit)} y2="100%" />
    </svg>
  );
}
