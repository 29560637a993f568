/** Explains the wrong blocks of a submitted gradient by the mistakes that produce their numbers. */
import type { Block } from '../../network/architecture.ts';
import { likelyOrders, listArrangements, type Submission } from './arrangements.ts';
import { describeFactor, findFactor, type KnownFactor, knownFactors, roundFactor } from './factors.ts';
import { type Fit, fitBlock, norm } from './fit.ts';
import type { Hint, Mistake } from './mistakes.ts';
import { type GradientTask, listSources, type Source } from './sources.ts';

export interface WrongBlock {
  readonly block: Block;
  /** ‖given − right‖ */
  readonly error: number;
}

/**
 * Tries one mistake after the other, the simplest first, and several at once: numbers that are computed in a wrong way, at
 * wrong places, times a factor, plus a multiple of the parameters.
 * @param given packed; the wrong blocks are finite and not 0
 * @returns hints by the name of the block, for those that a mistake explains
 */
export function explainBlocks(
  task: GradientTask,
  right: Float64Array,
  given: Float64Array,
  wrong: readonly WrongBlock[],
): Map<string, Hint> {
  const hints = new Map<string, Hint>();
  if (wrong.length === 0) return hints;
  const { architecture } = task;
  const known = knownFactors(task.indices.length, architecture.classes);
  const values = known.map(({ value }) => value);
  const submission = { architecture, given, orders: likelyOrders(architecture, right, given) };
  for (const source of listSources(task, right, given, values)) {
    for (const each of wrong) {
      if (hints.has(each.block.name)) continue;
      const hint = explainBlock(submission, source, task.parameters, each, known);
      if (hint !== null) hints.set(each.block.name, hint);
    }
    if (hints.size === wrong.length) break;
  }
  return hints;
}

function explainBlock(
  submission: Submission,
  source: Source,
  parameters: Float64Array,
  { block, error }: WrongBlock,
  known: readonly KnownFactor[],
): Hint | null {
  const { name, start, end } = block;
  const numbers = submission.given.subarray(start, end);
  const ratio = norm(numbers) / norm(source.gradient.subarray(start, end));
  const rearranged = findFactor(known, ratio) === undefined ? null : ratio;
  for (const found of listArrangements(source.gradient, block, submission, rearranged)) {
    const fits = [fitBlock(numbers, found.numbers, error)];
    if (found.kind === null)
      fits.push(fitBlock(numbers, found.numbers, error, parameters.subarray(start, end)));
    const fit = fits.find((each) => each !== null);
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
