/** Compares a submitted gradient with the gradient of the reference, block by block, and explains what differs. */
import { type Block, blocks } from '../../network/architecture.ts';
import { multiIndex } from '../../network/coordinates.ts';
import { compareGradients } from '../comparison.ts';
import { unitOf } from '../unit.ts';
import { explainBlocks } from './explain.ts';
import { cosine, inUnit, norm } from './fit.ts';
import type { Hint } from './mistakes.ts';
import type { GradientTask } from './sources.ts';

/**
 * Largest relative error of a right block, and the expected rounding error of a number near 1. float32: the limit of the
 * gradient of the kernel. A block is taken as float32 if all its numbers are, whatever the type of the file is.
 */
const PRECISIONS = {
  float32: { tolerance: 1e-4, noise: 2 ** -25 },
  float64: { tolerance: 1e-6, noise: 2 ** -54 },
} as const;

export interface SubmittedBlock {
  readonly name: string;
  /** Whether ‖g − r‖ ≤ tolerance · max(‖g‖, ‖r‖), apart from rounding; g: given, r: right. */
  readonly agrees: boolean;
  readonly tolerance: number;
  /** ‖g − r‖ / max(‖g‖, ‖r‖); null if a number is not finite. */
  readonly relativeError: number | null;
  /** The coordinate with the largest |g − r|, or the first one that is not finite: it is given as null. */
  readonly largest: { readonly index: number[]; readonly given: number | null; readonly right: number };
  readonly hint: Hint | null;
}

export interface SubmittedReport {
  /** Whether every block agrees. */
  readonly agrees: boolean;
  readonly relativeError: number | null;
  /** Cosine of the angle between the gradients; null if one of them is 0 or not finite. */
  readonly cosine: number | null;
  /** Whether all mistakes were tried on the blocks that differ; false if this would have taken too long. */
  readonly triedAll: boolean;
  readonly blocks: SubmittedBlock[];
}

/**
 * @param given the packed gradient
 * @param right the packed gradient of the reference at the same parameters, for the same examples
 * @param tolerance of each block; by default 1e-6, or 1e-4 for float32
 */
export function compareSubmitted(
  given: Float64Array,
  right: Float64Array,
  task: GradientTask,
  tolerance?: number,
): SubmittedReport {
  const kinked = new Uint8Array(given.length);
  const compared = blocks(task.architecture).map((block) => {
    const numbers = given.subarray(block.start, block.end);
    const isFloat32 = numbers.every((value) => Math.fround(value) === value);
    const precision = PRECISIONS[isFloat32 ? 'float32' : 'float64'];
    const gradients = { analytic: given, numeric: right, kinked };
    const limit = tolerance ?? precision.tolerance;
    const { passed, ...comparison } = compareGradients(
      gradients,
      block.start,
      block.end,
      limit,
      precision.noise,
    );
    const hint = explainNumbers(block, numbers, right.subarray(block.start, block.end));
    return { ...comparison, block, agrees: passed, limit, largest: comparison.worst!, hint };
  });
  const wrong = compared.filter(({ agrees, hint }) => !agrees && hint === null);
  const { hints, complete } = explainBlocks(task, right, given, wrong);
  const reports = compared.map(
    ({ block, agrees, limit, relativeError, largest, hint }): SubmittedBlock => ({
      name: block.name,
      agrees,
      tolerance: limit,
      relativeError: finite(relativeError),
      largest: { index: multiIndex(block, largest), given: finite(given[largest]!), right: right[largest]! },
      hint: agrees ? null : (hint ?? hints.get(block.name) ?? null),
    }),
  );
  const unit = Math.max(unitOf(given), unitOf(right));
  const [scaled, scaledRight] = [inUnit(given, unit), inUnit(right, unit)];
  const error = norm(scaled.map((value, i) => value - scaledRight[i]!));
  const scale = Math.max(norm(scaled), norm(scaledRight));
  return {
    agrees: reports.every(({ agrees }) => agrees),
    relativeError: finite(scale === 0 ? 0 : error / scale),
    cosine: finite(cosine(given, right)),
    triedAll: complete,
    blocks: nameNotebook(reports, task),
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Hints about numbers that no factor explains. */
function explainNumbers(block: Block, numbers: Float64Array, right: Float64Array): Hint | null {
  const { name, start } = block;
  const wrong = numbers.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  if (wrong > 0) {
    const first = start + numbers.findIndex((value) => !Number.isFinite(value));
    const sentence = `In ${name}, ${wrong} ${wrong === 1 ? 'number is' : 'numbers are'} not finite, the first one at [${multiIndex(block, first).join(', ')}]. ${explainNaN(numbers, right)}`;
    return { kind: 'not-finite', sentence };
  }
  if (numbers.some((value) => value !== 0)) return null;
  const sentence = `In ${name}, all numbers are 0: they are not computed, or are overwritten.`;
  return { kind: 'zero', sentence };
}

/** Right numbers beside NaN are the service's own: its gradients are NaN outside of a sample of coordinates. */
function explainNaN(numbers: Float64Array, right: Float64Array): string {
  const isRight = (value: number, i: number) =>
    Math.abs(value - right[i]!) <= PRECISIONS.float32.tolerance * Math.abs(right[i]!);
  const isSample = numbers.every((value, i) => Number.isNaN(value) || isRight(value, i));
  return isSample && numbers.some((value) => Math.abs(value) > 0)
    ? 'The others are right: a gradient that the service returns for a sample of the coordinates is NaN in all others. Request "coordinates": "all" for a whole one.'
    : 'exp overflows for large logits: subtract the largest logit of each image first.';
}

/** The defect of the notebook: its `gradCE` divides the gradients of the biases by the number of examples, those of the weights not. */
function nameNotebook(reports: SubmittedBlock[], { architecture, indices }: GradientTask) {
  const weights = blocks(architecture).filter(({ shape }) => shape.length > 1);
  const names = new Set(weights.map(({ name }) => name));
  const isSum = ({ hint }: SubmittedBlock) =>
    hint?.kind === 'constant-factor' && hint.factor === indices.length;
  if (!reports.every((report) => (names.has(report.name) ? isSum(report) : report.agrees))) return reports;
  const defect =
    'This is the defect of gradCE of the notebook: its biases are means, but its weights are sums.';
  return reports.map((report) => {
    if (!isSum(report)) return report;
    const hint = report.hint!;
    return { ...report, hint: { ...hint, sentence: `${hint.sentence} ${defect}` } };
  });
}
