/** Thread entry: gradient checks. */
import { gradientCheck } from '../numerics/gradient-check.ts';
import { initializeUniformFanIn } from '../numerics/initialize.ts';
import type { GradientCheckResult, GradientCheckTask, Outcome } from './messages.ts';
import { toOutcome } from './serialize-error.ts';

export default function checkGradient(task: GradientCheckTask): Promise<Outcome<GradientCheckResult>> {
  return toOutcome(() => {
    const startedAt = performance.now();
    const parameters = task.parameters ?? initializeUniformFanIn(task.layerSizes, task.seed);
    const check = gradientCheck({ ...task, parameters });
    for (;;) {
      const { done, value } = check.next();
      if (done) return { ...value, durationMs: performance.now() - startedAt };
    }
  });
}
