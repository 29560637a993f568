/** Times a few steps and evaluations of a training, to predict how long the whole takes. */
import type { Examples } from '../../numerics/engine.ts';
import { evaluateByEngine, inspectNetwork } from '../../numerics/evaluate.ts';
import { initialize } from '../../numerics/initialize.ts';
import { createEvaluatingEngine } from '../../numerics/simd/evaluating-engine.ts';
import { engineSettings } from '../../numerics/training-plan.ts';
import { kernelModule } from '../kernel.ts';
import type { TrainingTimes, TrainingTimesTask } from '../messages.ts';

/** Code runs at full speed only after a while. */
const WARM_UP_MS = 15;
const TRAINING_MS = 60;
const EVALUATION_MS = 25;
/** Images of a call that is timed; a call takes at least some tens of microseconds. */
const EVALUATED_IMAGES = 250;
const INSPECTED_IMAGES = 32;
/** Step between the images of a batch; a prime, so that images are read in scattered order, as after a shuffle. */
const STRIDE = 7919;

/** Each time is the lower quartile of several calls, because other work interrupts some of them. */
export function timeTraining({ plan, train, batchSize }: TrainingTimesTask): TrainingTimes {
  const all = train.labels.length;
  const scattered = (count: number, start = 0) =>
    Uint32Array.from({ length: count }, (_, n) => ((start + n) * STRIDE) % all);
  const settings = engineSettings(plan, train, scattered(all));
  const initial = initialize(plan.initialization, plan.layerSizes, plan.seed);
  const engine = createEvaluatingEngine(kernelModule, settings, initial);
  const sums = { loss: 0, correct: 0 };
  const position = { epoch: 1, start: 0, learningRate: plan.learningRate, measureNorm: false };
  let taken = 0;
  const step = () => {
    engine.step(train, scattered(batchSize, batchSize * taken++), position, sums);
  };
  quartileMs(step, WARM_UP_MS);
  const training = quartileMs(step, TRAINING_MS);
  const evaluated = scattered(Math.min(all, EVALUATED_IMAGES));
  const evaluation = quartileMs(
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
  return (1000 * quartileMs(inspect, EVALUATION_MS)) / indices.length;
}

function finish(generator: Generator<unknown, unknown, unknown>): void {
  while (!generator.next().done) {
    // The chunks are not needed.
  }
}

/** Lower quartile of the durations of the calls that fit into a time, at least one. */
function quartileMs(call: () => void, durationMs: number): number {
  const durations: number[] = [];
  for (const end = performance.now() + durationMs; ; ) {
    const startedAt = performance.now();
    call();
    const endedAt = performance.now();
    durations.push(endedAt - startedAt);
    if (endedAt >= end) break;
  }
  return durations.toSorted((a, b) => a - b)[Math.floor(durations.length / 4)]!;
}
