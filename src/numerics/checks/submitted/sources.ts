/** Gradients that contain a mistake of the computation: a missing derivative of the activation, other labels. */
import { type Architecture, type Block, blocks } from '../../network/architecture.ts';
import type { Network } from '../../network/layers.ts';
import type { ActiveValues } from '../../reference/active-values.ts';
import { crossEntropyBackward, labelTarget } from '../../reference/cross-entropy.ts';
import {
  completeGradient,
  createExamplePass,
  forwardExample,
  prepare,
} from '../../reference/example-pass.ts';
import type { Examples } from '../../training/engine.ts';
import type { Budget } from './effort.ts';
import { norm } from './fit.ts';
import type { Mistake } from './mistakes.ts';

/** The network at its parameters, and the examples whose mean loss the gradient belongs to. */
export interface GradientTask extends Network {
  readonly parameters: Float64Array;
  readonly examples: Examples;
  readonly indices: Uint32Array;
}

/** A packed gradient that explains wrong blocks. */
export interface Source {
  /** null for the right gradient. */
  readonly kind: Mistake | null;
  /** The mistake, in clauses without the name of a block. */
  readonly clauses: readonly string[];
  readonly gradient: Float64Array;
}

const NO_LAYER: ReadonlySet<number> = new Set();
/** Largest relative distance between the activations of a class and those that are found for another one. */
const NEAR = 1e-3;
const MOST_SHOWN = 3;

/** Most gradients that are computed for one task: right, without derivatives, two to find labels, and two with these. */
export const sourceCount = (architecture: Architecture): number =>
  5 + maskSets(hiddenLayers(architecture)).length;

/** Computes each gradient when it is asked for; the right one comes first. */
export function* listSources(
  task: GradientTask,
  right: Float64Array,
  given: Float64Array,
  factors: readonly number[],
  budget: Budget,
): Generator<Source> {
  const { architecture, examples } = task;
  const masks = maskSets(hiddenLayers(architecture));
  yield { kind: null, clauses: [], gradient: right };
  for (const missing of masks) {
    const clauses = [describeMask(task, missing)];
    yield { kind: 'missing-activation-mask', clauses, gradient: computeGradient(task, missing) };
  }
  const found = findLabels(task, right, given, factors, budget);
  if (found === null) return;
  const permuted = {
    ...task,
    examples: { ...examples, labels: examples.labels.map((k) => found.get(k) ?? k) },
  };
  for (const missing of [NO_LAYER, ...masks.slice(-1)]) {
    const clauses = [describeLabels(found), ...(missing.size > 0 ? [describeMask(task, missing)] : [])];
    yield { kind: 'permuted-classes', clauses, gradient: computeGradient(permuted, missing) };
  }
}

function describeMask({ architecture, activation }: GradientTask, missing: ReadonlySet<number>): string {
  const layers = hiddenLayers(architecture);
  const [first = 0, ...others] = missing;
  const each = layers === 1 ? 'the hidden layer' : 'each hidden layer';
  const where = layers > 1 && others.length === 0 ? `hidden layer ${first + 1}` : each;
  const zero = activation === 'relu' ? ', which is 0 where z ≤ 0' : '';
  return `the error of ${where} is not multiplied by the derivative of ${activation}${zero}`;
}

/** Activations of the convolutions and of the hidden fully connected layers. */
const hiddenLayers = ({ convolutions, hidden }: Architecture): number =>
  convolutions.flat().length + hidden.length;

/** The sets of hidden layers whose derivative may be missing: one, since the layers above do not matter to its block, or all. */
function maskSets(layers: number): ReadonlySet<number>[] {
  const all = Array.from({ length: layers }, (_, h) => h);
  return [...all.map((h) => new Set([h])), ...(layers > 1 ? [new Set(all)] : [])];
}

/** The gradient of the reference, but as if the derivative of the activations of `missing` hidden layers were 1. */
function computeGradient(task: GradientTask, missing: ReadonlySet<number>): Float64Array {
  const { parameters, examples, indices } = task;
  const gradient = new Float64Array(parameters.length);
  const pass = createExamplePass(task, parameters, gradient);
  const { layers, dense, hidden } = pass;
  const unmasked = new Set<object>(hidden.filter((_, h) => missing.has(h)));
  const { dOutput } = dense.at(-1)!;
  const target = new Float64Array(dOutput.length);
  prepare(pass);
  for (const n of indices) {
    const logits = forwardExample(pass, examples.pixels, n);
    labelTarget(target, examples.labels[n]!, 0);
    crossEntropyBackward(dOutput, logits, target, 1 / indices.length);
    for (const layer of dense) if (unmasked.has(layer)) listAll(layer.inputs);
    for (let l = layers.length - 1; l >= 0; l--) {
      const layer = layers[l]!;
      layer.addGradient?.();
      if (l === 0) break;
      const isCopied = unmasked.has(layer) && !dense.some((each) => each === layer);
      if (isCopied) layers[l - 1]!.dOutput.set(layer.dOutput);
      else layer.backward();
    }
  }
  completeGradient(pass);
  return gradient;
}

/** Lists the units with value and derivative 0 as well, and makes all derivatives 1. */
function listAll(inputs: ActiveValues): void {
  const { indices, values, derivatives, count } = inputs;
  const all = new Float64Array(values.length);
  for (let k = 0; k < count; k++) all[indices[k]!] = values[k]!;
  values.set(all);
  derivatives.fill(1);
  for (let j = 0; j < indices.length; j++) indices[j] = j;
  inputs.count = indices.length;
}

/**
 * The weights of the last layer have the gradient P − A: row k of P is the mean of p_k a over the examples, row k of A the mean
 * of a over the examples of class k. With permuted labels, the rows of A are permuted, and P is known.
 * @returns the class that each class is taken for; null if the labels are not permuted
 */
function findLabels(
  task: GradientTask,
  right: Float64Array,
  given: Float64Array,
  factors: readonly number[],
  budget: Budget,
): Map<number, number> | null {
  const last = blocks(task.architecture).at(-2)!;
  const classes = last.shape[0]!;
  const probable = weightProbabilities(task, last);
  const perClass = probable.map((p, i) => p - right[last.start + i]!);
  const size = perClass.length / classes;
  const row = (values: Float64Array, k: number) => values.subarray(k * size, (k + 1) * size);
  const sizes = Array.from({ length: classes }, (_, k) => norm(row(perClass, k)));
  const present = [...sizes.keys()].filter((k) => sizes[k]! > 0);
  for (const factor of factors.flatMap((value) => [value, -value])) {
    const taken = probable.map((p, i) => p - given[last.start + i]! / factor);
    const isNear = (k: number, other: number) => {
      const limit = NEAR * sizes[k]!;
      let [squares, i] = [0, 0];
      for (; i < size && squares <= limit ** 2; i++)
        squares += (perClass[k * size + i]! - taken[other * size + i]!) ** 2;
      budget.left -= i;
      return Math.sqrt(squares) <= limit;
    };
    const found = present.map((k) => {
      if (budget.left < 0) return [k, -1] as const;
      for (let other = 0; other < classes; other++) if (isNear(k, other)) return [k, other] as const;
      return [k, -1] as const;
    });
    const targets = new Set(found.map(([, other]) => other));
    if (targets.has(-1) || targets.size < found.length) continue;
    const moved = found.filter(([k, other]) => k !== other);
    if (moved.length > 0) return new Map(moved);
  }
  return null;
}

/** P, from the gradients with all labels 0 and all labels 1: no row of A but that of the label is other than 0. */
function weightProbabilities(task: GradientTask, { start, end, shape }: Block): Float64Array {
  const withLabel = (label: number) => {
    const examples = { ...task.examples, labels: task.examples.labels.map(() => label) };
    return computeGradient({ ...task, examples }, NO_LAYER).slice(start, end);
  };
  const probable = withLabel(0);
  probable.set(withLabel(1).subarray(0, shape[1]!));
  return probable;
}

function describeLabels(found: ReadonlyMap<number, number>): string {
  const shown = [...found].slice(0, MOST_SHOWN).map(([k, other]) => `class ${k} is taken for ${other}`);
  return `the labels are permuted: ${shown.join(', ')}${found.size > MOST_SHOWN ? ', …' : ''}`;
}
