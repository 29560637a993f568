/** A small training with a decreasing loss, run to its end. */

import { createReferenceEngine } from '../../src/numerics/reference/reference-engine.ts';
import type { CreateEngine } from '../../src/numerics/training/engine.ts';
import type { EpochMetrics, LoopEvent, LoopReply } from '../../src/numerics/training/loop-events.ts';
import type { TrainingPlan } from '../../src/numerics/training/plan.ts';
import { dense } from '../support/dense.ts';
import { planOf, stripes } from './fixtures.ts';
import { startLoop } from './start-loop.ts';

export const train = stripes(100, 16, 4, 1);
export const testExamples = stripes(40, 16, 4, 2);
/** A plan with five steps per epoch. */
export const plan = planOf(dense([16, 8, 6, 4]), {
  seed: 3,
  epochs: 3,
  learningRate: 0.3,
  schedule: { type: 'exponential', factor: 0.5 },
  l2: 0.001,
  holdout: { fraction: 0.2 },
});

/** Runs the training. `answer` is the consumer's reply to each event. */
export function run(
  changes: Partial<TrainingPlan> = {},
  createEngine: CreateEngine = createReferenceEngine,
  answer: (event: LoopEvent) => LoopReply = () => undefined,
) {
  const loop = startLoop({ ...plan, ...changes }, train, testExamples, createEngine);
  const events: LoopEvent[] = [];
  for (let next = loop.next(); ; next = loop.next(answer(next.value))) {
    if (next.done) return { events, result: next.value };
    events.push(next.value);
  }
}

export function recordsOf(events: LoopEvent[]): EpochMetrics[] {
  return events.flatMap((event) => (event.kind === 'epoch' ? [event.metrics] : []));
}
