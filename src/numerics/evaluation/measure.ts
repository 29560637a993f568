/**
 * Evaluation of a network between epochs.
 * The functions are generators, so that a caller can stop between chunks.
 */

import { type Architecture, forwardCost } from '../network/architecture.ts';
import { type Network, type Parameters, unpackWeights } from '../network/layers.ts';
import { argmax, crossEntropy } from '../reference/cross-entropy.ts';
import { createExamplePass, type ExamplePass, forwardExample, prepare } from '../reference/example-pass.ts';
import type { Engine, Examples, Findings } from '../training/engine.ts';

/** Means over the evaluated examples: cross-entropy in nats, and the fraction of correct predictions. */
export interface Evaluation {
  readonly loss: number;
  readonly accuracy: number;
}

/** Properties of a network on some images, independent of their labels. */
export interface Inspection {
  /**
   * For each convolution, then for each hidden fully connected layer, the fraction of channels or units whose values and
   * derivatives are 0 on every image: they neither contribute nor learn. Only those with ReLU can die.
   */
  readonly deadUnits: number[];
  /** Whether several images were evaluated and all were assigned to one class. */
  readonly isConstant: boolean;
}

/** Yielded between chunks, where the caller may stop. */
export interface EvaluationChunk {
  readonly kind: 'evaluation';
}

const CHUNK: EvaluationChunk = { kind: 'evaluation' };
const CHUNK_IMAGES = 1000;
/** Multiply-adds of about 50 ms in the reference; chunks of wide networks have fewer images, to stop as promptly. */
const CHUNK_COST = 5e7;

/** The loss may be NaN or infinite if logits overflow. @throws RangeError without indices: their mean is 0 / 0 */
export function* evaluate(
  network: Network,
  parameters: Parameters,
  examples: Examples,
  indices: Uint32Array,
): Generator<EvaluationChunk, Evaluation, unknown> {
  if (indices.length === 0) throw new RangeError('An evaluation needs at least one example.');
  let loss = 0;
  let correct = 0;
  yield* forwardEach(network, parameters, examples, indices, (logits, row) => {
    const label = examples.labels[row]!;
    loss += crossEntropy(logits, label);
    if (argmax(logits) === label) correct++;
  });
  return { loss: loss / indices.length, accuracy: correct / indices.length };
}

/** Like `evaluate`, but computed by a faster engine from its own parameters. The means are NaN without indices. */
export function* evaluateByEngine(
  evaluateChunk: NonNullable<Engine['evaluate']>,
  examples: Examples,
  indices: Uint32Array,
): Generator<EvaluationChunk, Evaluation, unknown> {
  const sums = { loss: 0, correct: 0 };
  yield* inChunks(indices, (chunk) => evaluateChunk(sums, examples, chunk));
  return { loss: sums.loss / indices.length, accuracy: sums.correct / indices.length };
}

/** Finds dead channels, dead units and constant predictions. */
export function* inspectNetwork(
  network: Network,
  parameters: Parameters,
  examples: Examples,
  indices: Uint32Array,
): Generator<EvaluationChunk, Inspection, unknown> {
  const findings = createFindings(network.architecture);
  const { alive, predicted } = findings;
  yield* forwardEach(network, parameters, examples, indices, (logits, _, { hidden }) => {
    predicted.add(argmax(logits));
    for (const [l, layer] of hidden.entries()) layer.markAlive(alive[l]!);
  });
  return concludeInspection(findings, indices.length);
}

/** Like `inspectNetwork`, but computed by a faster engine from its own parameters. */
export function* inspectByEngine(
  inspectChunk: NonNullable<Engine['inspect']>,
  architecture: Architecture,
  examples: Examples,
  indices: Uint32Array,
): Generator<EvaluationChunk, Inspection, unknown> {
  const findings = createFindings(architecture);
  yield* inChunks(indices, (chunk) => inspectChunk(findings, examples, chunk));
  return concludeInspection(findings, indices.length);
}

function* inChunks(
  indices: Uint32Array,
  visit: (chunk: Uint32Array) => void,
): Generator<EvaluationChunk, void, unknown> {
  for (let start = 0; start < indices.length; start += CHUNK_IMAGES) {
    visit(indices.subarray(start, start + CHUNK_IMAGES));
    yield CHUNK;
  }
}

const createFindings = (architecture: Architecture): Findings => ({
  alive: [...architecture.convolutions.flat(), ...architecture.hidden].map((units) => new Uint8Array(units)),
  predicted: new Set(),
});

function concludeInspection({ alive, predicted }: Findings, images: number): Inspection {
  return {
    deadUnits: alive.map((units) => units.filter((unit) => unit === 0).length / units.length),
    isConstant: images > 1 && predicted.size === 1,
  };
}

/** √Σ_l ‖W_l‖²: the 2-norm of all kernels and weights, without biases and norms. */
export function weightNorm(parameters: Parameters, architecture: Architecture): number {
  let squares = 0;
  for (const weights of unpackWeights(parameters, architecture)) for (const w of weights) squares += w * w;
  return Math.sqrt(squares);
}

function* forwardEach(
  network: Network,
  parameters: Parameters,
  examples: Examples,
  indices: Uint32Array,
  visit: (logits: Float64Array, row: number, pass: ExamplePass) => void,
): Generator<EvaluationChunk, void, unknown> {
  const pass = createExamplePass(network, parameters);
  prepare(pass);
  const cost = forwardCost(network.architecture);
  const chunk = Math.max(1, Math.min(CHUNK_IMAGES, Math.floor(CHUNK_COST / cost)));
  for (let n = 0; n < indices.length; n++) {
    visit(forwardExample(pass, examples.pixels, indices[n]!), indices[n]!, pass);
    if ((n + 1) % chunk === 0) yield CHUNK;
  }
  yield CHUNK;
}
