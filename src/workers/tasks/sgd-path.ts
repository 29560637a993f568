/** SGD paths: trains a job again, takes snapshots, and measures losses on the plane of their components. */
import { AtelierError } from '../../errors.ts';
import { parametersDigest } from '../../formats/models/metadata.ts';
import { stepsPerEpoch } from '../../numerics/examples/batches.ts';
import type { Parameters } from '../../numerics/network/layers.ts';
import type { SgdPathPlan } from '../../numerics/sgd-path/cost.ts';
import type { PathPoint, PlanePath } from '../../numerics/sgd-path/projection.ts';
import { planePath, snapshotSteps } from '../../numerics/sgd-path/projection.ts';
import { createEvaluatingEngine } from '../../numerics/simd/evaluating-engine.ts';
import { createKernelForward } from '../../numerics/simd/kernel-forward.ts';
import { trainingLoop } from '../../numerics/training/loop.ts';
import type { TrainingResult } from '../../numerics/training/loop-events.ts';
import { type PreparedTraining, prepareTraining } from '../../numerics/training/prepare.ts';
import { kernelModule, kernelOptions } from '../kernel/compile.ts';

/** The training to repeat, and the options of its path. The examples are in shared memory. */
export interface SgdPathTask extends SgdPathPlan {
  readonly margin: number;
}

export interface SgdPathResult extends PlanePath {
  readonly points: readonly (PathPoint & { readonly step: number; readonly epoch: number })[];
  /** Digest of the parameters that the repeated training ended with. */
  readonly digest: string;
  readonly examples: number;
}

interface Snapshot {
  readonly step: number;
  readonly parameters: Float32Array;
}

/** @throws AtelierError `impossible-request` if a loss is not finite */
export function computeSgdPath(task: SgdPathTask): SgdPathResult {
  const prepared = prepareTraining(task.plan, task.train, null);
  const { snapshots, result } = trainWithSnapshots(prepared, snapshotSteps(task.steps, task.snapshots));
  const indices = spread(prepared.split.train, task.examples);
  const path = planePath(
    snapshots.map(({ parameters }) => parameters),
    task,
    lossMeter(prepared, indices),
  );
  const perEpoch = stepsPerEpoch(prepared.split.train.length, task.plan.batchSize);
  return {
    ...path,
    points: path.points.map((point, i) => {
      const { step } = snapshots[i]!;
      return { step, epoch: Math.ceil(step / perEpoch), ...point };
    }),
    digest: parametersDigest(result.parameters),
    examples: indices.length,
  };
}

function trainWithSnapshots(
  prepared: PreparedTraining,
  steps: readonly number[],
): { readonly snapshots: readonly Snapshot[]; readonly result: TrainingResult } {
  const engine = createEvaluatingEngine(kernelModule, prepared.settings, prepared.initial, kernelOptions);
  const loop = trainingLoop(prepared, engine);
  const takeAt = new Set(steps);
  const snapshots: Snapshot[] = [];
  const takeSnapshot = (step: number) => {
    if (takeAt.has(step)) snapshots.push({ step, parameters: Float32Array.from(engine.parameters) });
  };
  takeSnapshot(0);
  for (;;) {
    const { done, value } = loop.next();
    if (done) return { snapshots, result: value };
    if (value.kind === 'step') takeSnapshot(value.step);
  }
}

/** `count` of the indices, evenly spread: images may be sorted by class. */
function spread(indices: Uint32Array, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => indices[Math.floor((i * indices.length) / count)]!);
}

/** Returns the mean cross-entropy of packed parameters on the training images of the given indices. */
function lossMeter(
  { settings, train, initial }: PreparedTraining,
  indices: Uint32Array,
): (parameters: Parameters) => number {
  const { architecture, activation, standardization } = settings;
  const forward = createKernelForward(
    kernelModule,
    architecture,
    activation,
    initial,
    standardization,
    kernelOptions,
  );
  return (parameters) => {
    const sums = { loss: 0, correct: 0 };
    forward.load(parameters);
    forward.evaluate(sums, train, indices);
    const loss = sums.loss / indices.length;
    if (Number.isFinite(loss)) return loss;
    throw new AtelierError(
      'impossible-request',
      `The loss in the plane of this path is ${loss} at one point: the weights are too large.`,
      { details: [{ parameter: 'margin', detail: 'may be too large' }] },
    );
  };
}
