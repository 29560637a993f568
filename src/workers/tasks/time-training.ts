/** Times a few steps and evaluations of a training, to predict how long the whole takes. */
import { once } from 'node:events';
import { evaluateByEngine } from '../../numerics/evaluation/measure.ts';
import { initialize } from '../../numerics/network/initialize.ts';
import { createEvaluatingEngine } from '../../numerics/simd/evaluating-engine.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import { evaluationMicroseconds } from '../../numerics/training/kernel-time.ts';
import type { TrainingPlan } from '../../numerics/training/plan.ts';
import { engineSettings } from '../../numerics/training/plan.ts';
import { kernelModule, kernelOptions } from '../kernel/compile.ts';
import { typicalMs } from '../kernel/typical-duration.ts';
import { startStepThreads, stepChannels } from '../training/step-threads.ts';

/** A training to time for a few steps. The examples are in shared memory. */
export interface TrainingTimesTask {
  readonly plan: TrainingPlan;
  readonly train: Examples;
  /** Images of a timed step; at most the plan's. */
  readonly batchSize: number;
  /** Threads of a step. How much the second one gains depends on the processor, the network and the batch: 1.05 to 1.8 times was measured. */
  readonly threads: number;
}

/** Microseconds per image. */
export interface TrainingTimes {
  /** A step in all of its threads: forward pass, gradient and update. */
  readonly training: number;
  /** In one thread. */
  readonly evaluation: number;
}

/** Code runs at full speed only after a while, and the first steps of a large network are slower. */
const WARM_UP_MS = 15;
const WARM_UP_CALLS = 5;
/** Rounds in which everything is timed in turn; the fastest counts, because other work only makes a round slower. */
const ROUNDS = 3;
/** Time of the processor for each round. */
const TRAINING_MS = 20;
const EVALUATION_MS = 8;
/** Images of a call that is timed; a call takes at least some tens of microseconds. Fewer if they would take longer than a round. */
const EVALUATED_IMAGES = 250;
/** Step between the images of a batch; a prime, so that images are read in scattered order, as after a shuffle. */
const STRIDE = 7919;

export async function timeTraining({
  plan,
  train,
  batchSize,
  threads,
}: TrainingTimesTask): Promise<TrainingTimes> {
  const all = train.labels.length;
  const scattered = (count: number, start = 0) =>
    Uint32Array.from({ length: count }, (_, n) => ((start + n) * STRIDE) % all);
  const settings = engineSettings(plan, train, scattered(all));
  const initial = initialize(plan.initialization, plan.architecture, plan.seed);
  const engine = createEvaluatingEngine(kernelModule, settings, initial, { ...kernelOptions, threads });
  const sums = { loss: 0, correct: 0 };
  const position = { epoch: 1, start: 0, learningRate: plan.learningRate, measureNorm: false };
  let taken = 0;
  const step = () => {
    engine.step(train, scattered(batchSize, batchSize * taken++), position, sums);
  };
  const affordable = Math.ceil((1000 * EVALUATION_MS) / evaluationMicroseconds(plan.architecture));
  const evaluated = Math.min(all, EVALUATED_IMAGES, affordable);
  let evaluations = 0;
  // Other images in each call: those of the call before are in the cache of the processor.
  const evaluate = () =>
    finish(evaluateByEngine(engine.evaluate, train, scattered(evaluated, evaluated * evaluations++)));
  const channels = stepChannels(threads);
  const stepThreads = startStepThreads(channels);
  try {
    await Promise.all(
      stepThreads.map(({ exited }, n) => Promise.race([once(channels[n]!.port1, 'message'), exited])),
    );
    for (const { port1 } of channels) port1.postMessage(engine.createHandle(train.pixels));
    return timeRounds();
  } finally {
    engine.shutdown();
    await Promise.all(stepThreads.map((thread) => thread.terminate()));
  }

  function timeRounds(): TrainingTimes {
    typicalMs(step, WARM_UP_MS, WARM_UP_CALLS);
    const rounds = Array.from({ length: ROUNDS }, () => ({
      training: (1000 * typicalMs(step, TRAINING_MS)) / batchSize,
      evaluation: (1000 * typicalMs(evaluate, EVALUATION_MS)) / evaluated,
    }));
    const fastest = (of: keyof TrainingTimes) => Math.min(...rounds.map((round) => round[of]));
    return { training: fastest('training'), evaluation: fastest('evaluation') };
  }
}

function finish(generator: Generator<unknown, unknown, unknown>): void {
  while (!generator.next().done) {
    // The chunks are not needed.
  }
}
