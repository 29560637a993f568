/** Section of a lab report about the gradient: the analytic one against finite differences. */
import { type Block, decimal, prose, scientific, table, text, whole } from '../blocks.ts';
import type { ReportInput } from './input.ts';

/** Limits of the course for the number that `scipy.optimize.check_grad` computes. */
const COURSE_LIMITS = [
  { limit: 1e-2, name: 'course: < 0.01' },
  { limit: 1e-4, name: '< 1e-4' },
] as const;

export function gradientCheckBlocks({ report: { gradientCheck: check, job } }: ReportInput): Block[] {
  if (check === null) return [];
  const { warmStart } = job.receipt?.request ?? job;
  const subject =
    warmStart === null
      ? 'the initial parameters of the training'
      : 'the model that the training started from';
  const course = COURSE_LIMITS.map(({ limit, name }) => [
    `‖analytic − numeric‖, as scipy.optimize.check_grad computes it, ${name}`,
    scientific(check.error),
    yesOrNo(check.error < limit),
  ]);
  return [
    prose`The gradient of ${subject} by backpropagation, compared with ${check.scheme} differences of step
      ${scientific(check.stepSize)} in ${whole(check.coordinates)} coordinates, ${whole(check.kinks)} of which cross a kink
      of the activation. The loss there is ${decimal(check.loss)} nats.`,
    table(
      ['criterion', 'value', 'met'],
      [
        ...course,
        [
          `‖a − n‖ / max(‖a‖, ‖n‖) within the tolerance ${check.tolerance.toExponential(0)} in every block`,
          scientific(check.relativeError),
          yesOrNo(check.passed),
        ],
      ],
    ),
    table(
      ['block', 'shape', 'coordinates', 'error', 'relative error', 'kinks', 'allclose', 'passed'],
      check.blocks.map((block) => [
        block.name,
        block.shape.join(' × '),
        whole(block.coordinates),
        scientific(block.error),
        scientific(block.relativeError),
        whole(block.kinks),
        yesOrNo(block.allclose),
        yesOrNo(block.passed),
      ]),
    ),
    ...(check.advice === null ? [] : [text(check.advice)]),
  ];
}

const yesOrNo = (holds: boolean) => (holds ? 'yes' : 'no');
