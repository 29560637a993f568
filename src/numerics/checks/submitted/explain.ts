/** Explains the wrong blocks of a submitted gradient by the mistakes that produce their numbers. */
import type { Block } from '../../network/architecture.ts';
import { likelyOrders, listArrangements, type Submission } from './arrangements.ts';
import { type Budget, FIT_READS, gather, MAX_READ, NORM_READS, samplePlaces } from './effort.ts';
import { describeFactor, findFactor, type KnownFactor, knownFactors, roundFactor } from './factors.ts';
import { createTarget, type Fit, fitTarget, mayFit, norm, type Target } from './fit.ts';
import type { Hint, Mistake } from './mistakes.ts';
import { type GradientTask, listSources, type Source } from './sources.ts';

export interface WrongBlock {
  readonly block: Block;
  /** ‖given − right‖ */
  readonly error: number;
}

export interface Explanation {
  /** By the name of the block, for those that a mistake explains. */
  readonly hints: ReadonlyMap<string, Hint>;
  /** Whether all mistakes were tried on the blocks without a hint. */
  readonly complete: boolean;
}

/** A wrong block, with some of its numbers on which each mistake is tried first. */
interface Subject {
  readonly block: Block;
  readonly target: Target;
  /** Places in the block, and the numbers and the parameters there. */
  readonly places: Uint32Array;
  readonly sample: Float64Array;
  readonly parameters: Float64Array;
}

/**
 * Tries one mistake after the other, the simplest first, and several at once: numbers that are computed in a wrong way, at
 * wrong places, times a factor, plus a multiple of the parameters.
 * @param given packed; the wrong blocks are finite and not 0
 */
export function explainBlocks(
  task: GradientTask,
  right: Float64Array,
  given: Float64Array,
  wrong: readonly WrongBlock[],
  maxRead = MAX_READ,
): Explanation {
  const hints = new Map<string, Hint>();
  if (wrong.length === 0) return { hints, complete: true };
  const { architecture } = task;
  const known = knownFactors(task.indices.length, architecture.classes);
  const budget = { left: maxRead };
  const submission = { architecture, given, orders: likelyOrders(architecture, right, given), budget };
  const subjects = wrong.map((each) => toSubject(each, given, task.parameters));
  const factors = known.map(({ value }) => value);
  for (const source of listSources(task, right, given, factors, budget)) {
    for (const subject of subjects) {
      if (hints.has(subject.block.name) || budget.left < 0) continue;
      const hint = explainBlock(submission, source, task.parameters, subject, known);
      if (hint !== null) hints.set(subject.block.name, hint);
    }
    if (hints.size === wrong.length || budget.left < 0) break;
  }
  return { hints, complete: hints.size === wrong.length || budget.left >= 0 };
}

function toSubject({ block, error }: WrongBlock, given: Float64Array, parameters: Float64Array): Subject {
  const { start, end } = block;
  const target = createTarget(given.subarray(start, end), error);
  const places = samplePlaces(end - start);
  return {
    block,
    target,
    places,
    sample: gather(target.numbers, places),
    parameters: gather(parameters.subarray(start, end), places),
  };
}

function explainBlock(
  submission: Submission,
  source: Source,
  parameters: Float64Array,
  subject: Subject,
  known: readonly KnownFactor[],
): Hint | null {
  const { block, target } = subject;
  const { name, start, end } = block;
  const { budget } = submission;
  budget.left -= NORM_READS * (end - start);
  const ratio = (target.unit * target.size) / norm(source.gradient.subarray(start, end));
  const rearranged = findFactor(known, ratio) === undefined ? null : ratio;
  for (const found of listArrangements(source.gradient, block, submission, rearranged)) {
    if (budget.left < 0) return null;
    const own = found.kind === null ? parameters.subarray(start, end) : undefined;
    const fit = fitArrangement(subject, source.gradient, found.at, own, budget);
    if (!fit) continue;
    const factor = findFactor(known, fit.factor);
    const kind = found.kind ?? source.kind;
    const isPlain = kind === null && fit.penalty === 0;
    // The right numbers times 1.00001 are an unknown mistake.
    if (isPlain && factor?.value === 1 && fit.factor > 0) return null;
    // Two unknown numbers explain too much.
    if (!isPlain && factor === undefined) continue;
    return toHint(name, kind, [...source.clauses, ...found.clauses], fit, factor);
  }
  return null;
}

/**
 * The fit of a block by numbers of a gradient, without parameters if that explains it.
 * @param at the position of number i in the gradient
 */
function fitArrangement(
  { block, target, places, sample, parameters: sampled }: Subject,
  gradient: Float64Array,
  at: (i: number) => number,
  parameters: Float64Array | undefined,
  budget: Budget,
): Fit | null {
  const some = gather(gradient, places.map(at));
  budget.left -= FIT_READS * places.length;
  const isPossible = mayFit(target, sample, some);
  const isPossibleWith = parameters !== undefined && mayFit(target, sample, some, sampled);
  if (!isPossible && !isPossibleWith) return null;
  const numbers = new Float64Array(block.end - block.start);
  for (let i = 0; i < numbers.length; i++) numbers[i] = gradient[at(i)]!;
  budget.left -= FIT_READS * numbers.length;
  const fit = isPossible ? fitTarget(target, numbers) : null;
  return fit ?? (isPossibleWith ? fitTarget(target, numbers, parameters) : null);
}

function toHint(
  name: string,
  kind: Mistake | null,
  clauses: readonly string[],
  fit: Fit,
  known: KnownFactor | undefined,
): Hint {
  const factor = roundFactor(fit.factor, known);
  const penalty = Number(fit.penalty.toPrecision(6));
  const all = [...clauses, ...describeFactor(factor, known)];
  if (penalty !== 0) {
    all.push(
      `the numbers contain ${penalty} times the parameters: the gradient of an L2 penalty, which the loss of this check does not have`,
    );
  }
  const sentence = `In ${name}, ${all.join('; besides, ')}.`;
  if (kind === null && penalty !== 0) return { kind: 'penalty-missing', factor: penalty, sentence };
  if (kind === null && factor === -1) return { kind: 'sign', sentence };
  return { kind: kind ?? 'constant-factor', ...(factor !== 1 && { factor }), sentence };
}
