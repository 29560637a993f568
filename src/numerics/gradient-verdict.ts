/** What the comparison of two gradients amounts to, and what to do about it. */
import type { Comparison } from './gradient-comparison.ts';

/** Why a check did not pass. */
export type GradientCheckReason =
  | 'gradient-differs'
  | 'too-many-kinks'
  | 'step-too-small'
  | 'parameters-too-large';

export const ADVICE: Readonly<Record<GradientCheckReason, string>> = {
  'gradient-differs':
    'The gradient of the blocks that failed is not that of the loss, or the loss curves within so large a step.',
  'too-many-kinks':
    'More than 5 % of the steps cross a kink of the activation, where a difference says nothing of the derivative: ' +
    'use a smaller step, or other examples or parameters.',
  'step-too-small':
    'With so small a step the rounding noise of the differences exceeds the tolerance, and a wrong gradient ' +
    'could hide in it: use the default step of the scheme.',
  'parameters-too-large':
    'A parameter is so large that the step changes nothing of it, even in float64: the training that made it has ' +
    'diverged. Train it anew with a lower learning rate, or take another model.',
};

const KINK_LIMIT = 0.05;

/**
 * null where the check passes. A step is only called too small below the default one: at the default, noise
 * above the tolerance means that the gradient is all but zero (a very confident model, dead units), and the
 * noise allowed for is there to let that pass. A default step that vanishes is the parameters' fault.
 */
export function verdict(
  whole: Comparison,
  blocks: readonly { readonly passed: boolean }[],
  step: { readonly belowDefault: boolean; readonly vanished: boolean },
): GradientCheckReason | null {
  if (step.vanished) return step.belowDefault ? 'step-too-small' : 'parameters-too-large';
  if (whole.kinks > KINK_LIMIT * whole.coordinates) return 'too-many-kinks';
  if (!blocks.every(({ passed }) => passed)) return 'gradient-differs';
  if (step.belowDefault && whole.noiseDominates) return 'step-too-small';
  return null;
}
