/** Thread entry: gradient checks. */
import { type GradientCheckPlan, gradientCheck } from '../numerics/gradient-check.ts';
import type { GradientCheckResult, Outcome } from './messages.ts';
import { toOutcome } from './serialize-error.ts';

export default function checkGradient(plan: GradientCheckPlan): Promise<Outcome<GradientCheckResult>> {
  return toOutcome(() => {
    const startedAt = performance.now();
    const check = gradientCheck(plan);
    for (;;) {
      const { done, value } = check.next();
      if (done) return { ...value, durationMs: performance.now() - startedAt };
    }
  });
}
