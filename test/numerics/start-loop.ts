/** A training loop together with its engine. */
import type { CreateEngine, Examples } from '../../src/numerics/training/engine.ts';
import { trainingLoop } from '../../src/numerics/training/loop.ts';
import type { TrainingPlan } from '../../src/numerics/training/plan.ts';
import { prepareTraining } from '../../src/numerics/training/prepare.ts';
import type { TrainingSnapshot } from '../../src/numerics/training/snapshot.ts';

export function startLoop(
  plan: TrainingPlan,
  train: Examples,
  test: Examples | null,
  createEngine: CreateEngine,
  from: TrainingSnapshot | null = null,
  testOnce = false,
): ReturnType<typeof trainingLoop> {
  const prepared = prepareTraining(plan, train, test, testOnce);
  return trainingLoop(prepared, createEngine(prepared.settings, prepared.initial), from);
}
