/** Times a few steps and evaluations of a training, to predict how long the whole takes. */
import type { Examples } from '../../numerics/engine.ts';
import { evaluateByEngine, inspectNetwork } from '../../numerics/evaluate.ts';
import { initialize } from '../../numerics/initialize.ts';
import { createEvaluatingEngine } from '../../numerics/simd/evaluating-engine.ts';
import { engineSettings } from '../../numerics/training-plan.ts';
import { kernelModule, kernelOptions } from '../kernel.ts';
import type { TrainingTimes, TrainingTimesTask } from '../messages.ts';

/** Code runs at full speed only after a while, and the first steps of a large network are slower. */
const WARM_UP_MS = 15;
const WARM_UP_CALLS = 5;
const TRAINING_MS = 60;
const EVALUATION_MS = 25;
/** Fewer calls may all be interrupted. */
const MIN_CALLS = 8;
/** Longest time for few or interrupted calls, as a multiple of the usual one. */
const MAX_PATIENCE = 3;
/** Some systems count the time of the processor in steps of 10 ms. */
const CPU_TICK_MS = 10;
/** Images of a call that is timed; a call takes at least some tens of microseconds. */
const EVALUATED_IMAGES = 250;
const INSPECTED_IMAGES = 32;
/** Step between the images of a batch; a prime, so that images are read in scattered order, as after a shuffle. */
const STRIDE = 7919;

export function timeTraining({ plan, train, batchSize }: TrainingTimesTask): TrainingTimes {
  const all = train.labels.length;
  const scattered = (count: number, start = 0) =>
    Uint32Array.from({ length: count }, (_, n) => ((start + n) * STRIDE) % all);
  const settings = engineSettings(plan, train, scattered(all));
  const initial = initialize(plan.initialization, plan.layerSizes, plan.seed);
  const engine = createEvaluatingEngine(kernelModule, settings, initial, kernelOptions);
  const sums = { loss: 0, correct: 0 };
  const position = { epoch: 1, start: 0, learningRate: plan.learningRate, measureNorm: false };
  let taken = 0;
  const step = () => {
    engine.step(train, scattered(batchSize, batchSize * taken++), position, sums);
  };
  typicalMs(step, WARM_UP_MS, WARM_UP_CALLS);
  const training = typicalMs(step, TRAINING_MS);
  const evaluated = scattered(Math.min(all, EVALUATED_IMAGES));
  const evaluation = typicalMs(
    () => finish(evaluateByEngine(engine.evaluate, train, evaluated)),
    EVALUATION_MS,
  );
  return {
    training: (1000 * training) / batchSize,
    evaluation: (1000 * evaluation) / evaluated.length,
    inspection: timeInspection(settings, initial, train, scattered(Math.min(all, INSPECTED_IMAGES))),
  };
}

function timeInspection(
  settings: Parameters<typeof inspectNetwork>[0],
  initial: Parameters<typeof inspectNetwork>[1],
  train: Examples,
  indices: Uint32Array,
): number {
  const inspect = () => finish(inspectNetwork(settings, initial, train, indices));
  return (1000 * typicalMs(inspect, EVALUATION_MS)) / indices.length;
}

function finish(generator: Generator<unknown, unknown, unknown>): void {
  while (!generator.next().done) {
    // The chunks are not needed.
  }
}

/**
 * Typical duration of a call, as if no other work interrupted it: the lower quartile for short calls; for long ones, most of
 * which are interrupted on a busy machine, at most the mean time of the processor. Calls at least until that
 * reaches `durationMs`.
 */
function typicalMs(call: () => void, durationMs: number, minCalls = MIN_CALLS): number {
  const durations: number[] = [];
  const [startedAt, before] = [performance.now(), process.threadCpuUsage()];
  for (let last = startedAt; ; ) {
    call();
    const now = performance.now();
    durations.push(now - last);
    const { user, system } = process.threadCpuUsage(before);
    const cpuMs = (user + system) / 1000;
    const isEnough = cpuMs >= durationMs && durations.length >= minCalls;
    if (isEnough || now - startedAt >= MAX_PATIENCE * durationMs) {
      const quartile = durations.toSorted((a, b) => a - b)[Math.floor(durations.length / 4)]!;
      return Math.min(quartile, (cpuMs + CPU_TICK_MS) / durations.length);
    }
    last = performance.now();
  }
}
