/** The verdict of a gradient check, with advice if it fails. */
import type { GradientComparison } from './comparison.ts';

/** Why a check did not pass. */
export type GradientCheckReason =
  | 'gradient-differs'
  | 'too-many-kinks'
  | 'step-too-small'
  | 'parameters-too-large';

export const ADVICE: Readonly<Record<GradientCheckReason, string>> = {
  'gradient-differs':
    'The gradient of the failed blocks is not the gradient of the loss, or the step is so large that the loss is too curved within it.',
  'too-many-kinks':
    'More than 5 % of the steps cross a kink of the activation or the pooling, where a difference does not approximate the derivative. ' +
    'Use a smaller step, or other examples or parameters.',
  'step-too-small':
    'The step is so small that the rounding noise of the differences exceeds the tolerance and could hide a wrong ' +
    'gradient. Use the default step of the scheme.',
  'parameters-too-large':
    'A parameter is so large that adding the step does not change it, even in float64: its training has diverged. ' +
    'Train again with a lower learning rate, or use another model.',
};

const KINK_LIMIT = 0.05;

/**
 * Returns null if the check passes. Only steps below the default are called too small: at the default, noise above the
 * tolerance means that the gradient is almost zero (a very confident model, dead units): the allowed noise lets it
 * pass. If a step of at least the default vanishes, the parameters are too large.
 */
export function verdict(
  whole: GradientComparison,
  blocks: readonly { readonly passed: boolean }[],
  step: { readonly belowDefault: boolean; readonly vanished: boolean },
): GradientCheckReason | null {
  if (step.vanished) return step.belowDefault ? 'step-too-small' : 'parameters-too-large';
  if (whole.kinks > KINK_LIMIT * whole.coordinates) return 'too-many-kinks';
  if (!blocks.every(({ passed }) => passed)) return 'gradient-differs';
  if (step.belowDefault && whole.noiseDominates) return 'step-too-small';
  return null;
}
