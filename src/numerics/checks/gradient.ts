/**
 * Gradient check: the analytic gradient against finite differences of the loss, per coordinate, as in
 * scipy.optimize.check_grad and approx_fprime. Results are reported per block.
 */
import { type Architecture, blocks, parameterCount } from '../network/architecture.ts';
import { type CoordinateChoice, chooseCoordinates, multiIndex } from '../network/coordinates.ts';
import type { Network, Parameters } from '../network/layers.ts';
import { createComputeGradient } from '../reference/objective.ts';
import { checkExamples, type Examples, PLAIN_SETTINGS } from '../training/engine.ts';
import { compareGradients, type GradientComparison } from './comparison.ts';
import { perturbedLossCosts } from './cost.ts';
import type { Coordinate } from './perturbation.ts';
import { createPerturbedLoss } from './perturbed-loss.ts';
import { ADVICE, type GradientCheckReason, verdict } from './verdict.ts';

/** central: (f(w + h) − f(w − h)) / 2h.  forward: (f(w + h) − f(w)) / h. */
export type DifferenceScheme = 'central' | 'forward';

/** Steps near which truncation and rounding errors are equal; the forward step, √2⁻⁵², is scipy's. */
const DEFAULT_STEPS = { central: 1e-5, forward: 2 ** -26 } as const;
/**
 * Central step with convolutions, whose parameters move thousands of values at once: measured for 28×28-(32 32)-(64 64)-256-10,
 * a step of 1e-5 takes up to 15 % of the coordinates across a kink, a step of 1e-6 up to 2 %.
 */
const CONVOLUTION_STEP = 1e-6;
const DEFAULT_TOLERANCES = { central: 1e-6, forward: 1e-4 } as const;

const defaultStep = (scheme: DifferenceScheme, { convolutions }: Architecture): number =>
  scheme === 'central' && convolutions.length > 0 ? CONVOLUTION_STEP : DEFAULT_STEPS[scheme];

export interface GradientCheckPlan extends Network {
  /** Packed; the check computes in float64 whatever their precision. */
  readonly parameters: Parameters;
  readonly examples: Examples;
  /** The examples whose mean loss is checked. */
  readonly indices: Uint32Array;
  readonly scheme: DifferenceScheme;
  readonly stepSize?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly coordinates: CoordinateChoice;
  /** Seed of the sample of coordinates. */
  readonly seed: number;
  /** The packed gradient to check; the reference's by default. */
  readonly gradient?: Float64Array | undefined;
}

export interface BlockReport extends Omit<GradientComparison, 'worst' | 'noiseDominates'> {
  readonly name: string;
  readonly shape: readonly number[];
  readonly worst: { readonly index: number[]; readonly analytic: number; readonly numeric: number } | null;
}

export interface GradientCheckReport
  extends Pick<GradientComparison, 'error' | 'relativeError' | 'noise' | 'coordinates' | 'kinks'> {
  /** Whether every block passes and the step is suitable to detect errors. */
  readonly passed: boolean;
  readonly reason: GradientCheckReason | null;
  readonly advice: string | null;
  readonly scheme: DifferenceScheme;
  readonly stepSize: number;
  readonly tolerance: number;
  /** Mean cross-entropy of the examples, in nats. */
  readonly loss: number;
  readonly blocks: readonly BlockReport[];
  /** For each entry of the two gradients below, its position in the packed vector; ascending. */
  readonly positions: Uint32Array;
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
}

export interface GradientCheckProgress {
  readonly done: number;
  readonly coordinates: number;
}

const CHUNK_COORDINATES = 256;
/** Largest number of multiply-adds between two yields, unless one coordinate takes more: a few tens of ms. */
const CHUNK_COST = 2e7;

/**
 * Yields at least every 256 coordinates, more often in large networks; a caller can stop there. The plan is not
 * modified.
 * @throws RangeError when the step is not positive, there are no examples, or the parts of the plan do not fit.
 */
export function* gradientCheck(
  plan: GradientCheckPlan,
): Generator<GradientCheckProgress, GradientCheckReport, void> {
  const { architecture, scheme } = plan;
  const usualStep = defaultStep(scheme, architecture);
  const { stepSize = usualStep, tolerance = DEFAULT_TOLERANCES[scheme] } = plan;
  checkPlan(plan, stepSize);
  const parameters = Float64Array.from(plan.parameters);
  const gradient = plan.gradient ?? referenceGradient(plan, parameters);
  const positions = chooseCoordinates(plan.coordinates, architecture, plan.seed);
  const perturbed = createPerturbedLoss(plan, parameters, plan.examples, plan.indices);

  const count = positions.length;
  const gradients = {
    analytic: Float64Array.from(positions, (position) => gradient[position]!),
    numeric: new Float64Array(count),
    kinked: new Uint8Array(count),
  };
  // Each of the two subtracted losses is uncertain by one unit in the last place of its logits.
  const noise = (2 * Number.EPSILON * Math.max(1, perturbed.largestLogit)) / stepSize;
  const costs = perturbedLossCosts(architecture);
  const coordinate: Coordinate = { block: 0, index: 0 };
  const above = { loss: 0, crossed: false };
  const below = { loss: perturbed.loss, crossed: false };
  const far = { loss: 0, crossed: false };
  const isConvolutional = architecture.convolutions.length > 0;
  const reports: BlockReport[] = [];
  let vanished = false;
  let done = 0;

  for (const [b, block] of blocks(architecture).entries()) {
    const start = done;
    const affordable = CHUNK_COST / (2 * plan.indices.length * costs[b]!);
    const chunk = Math.ceil(Math.min(CHUNK_COORDINATES, affordable));
    for (; done < count && positions[done]! < block.end; done++) {
      if ((done - start) % chunk === 0) yield { done, coordinates: count };
      const w = parameters[positions[done]!]!;
      // The step after rounding. It may differ from `stepSize`.
      const [up, down] = [w + stepSize, scheme === 'central' ? w - stepSize : w];
      coordinate.block = b;
      coordinate.index = positions[done]! - block.start;
      perturbed.evaluate(above, coordinate, up - w);
      if (scheme === 'central') perturbed.evaluate(below, coordinate, down - w);
      if (up === down) vanished = true;
      else gradients.numeric[done] = (above.loss - below.loss) / (up - down);
      let kinked = above.crossed || below.crossed;
      if (isConvolutional && scheme === 'central' && above.crossed !== below.crossed) {
        // Only one side crosses a kink, so the difference of the other side is used, also of second order. Where an image has
        // only zeros, all pre-activations are equal to a bias, and most biases start at 0: exactly at the kink.
        const [near, step] = above.crossed ? [below, down - w] : [above, up - w];
        perturbed.evaluate(far, coordinate, 2 * step);
        gradients.numeric[done] = (4 * near.loss - 3 * perturbed.loss - far.loss) / (2 * step);
        kinked = far.crossed;
      }
      if (kinked) gradients.kinked[done] = 1;
    }
    const {
      worst,
      noiseDominates: _,
      ...figures
    } = compareGradients(gradients, start, done, tolerance, noise);
    reports.push({
      name: block.name,
      shape: block.shape,
      ...figures,
      worst:
        worst === null
          ? null
          : {
              index: multiIndex(block, positions[worst]!),
              analytic: gradients.analytic[worst]!,
              numeric: gradients.numeric[worst]!,
            },
    });
  }

  const whole: GradientComparison = compareGradients(gradients, 0, count, tolerance, noise);
  const belowDefault = stepSize < usualStep;
  const reason = verdict(whole, reports, { belowDefault, vanished });
  return {
    passed: reason === null,
    reason,
    advice: reason === null ? null : ADVICE[reason],
    error: whole.error,
    relativeError: whole.relativeError,
    scheme,
    stepSize,
    tolerance,
    noise: whole.noise,
    loss: perturbed.loss,
    coordinates: count,
    kinks: whole.kinks,
    blocks: reports,
    positions,
    analytic: gradients.analytic,
    numeric: gradients.numeric,
  };
}

/** The packed gradient of the mean cross-entropy of the examples, in float64. */
export function referenceGradient(
  plan: Omit<GradientCheckPlan, 'parameters' | 'scheme' | 'coordinates' | 'seed'>,
  parameters: Float64Array,
): Float64Array {
  const gradient = new Float64Array(parameters.length);
  const { architecture, activation, standardization, examples, indices } = plan;
  const settings = { ...PLAIN_SETTINGS, architecture, activation, standardization };
  const sums = { loss: 0, correct: 0 };
  createComputeGradient(gradient, parameters, settings)(sums, examples, indices, { epoch: 0, start: 0 });
  return gradient;
}

function checkPlan({ architecture, examples, indices, gradient }: GradientCheckPlan, stepSize: number): void {
  checkExamples(examples, architecture);
  if (!(stepSize > 0)) throw new RangeError(`The step must be larger than zero, not ${stepSize}.`);
  if (indices.length === 0) throw new RangeError('A gradient check needs at least one example.');
  const outOfRange = indices.find((index) => index >= examples.labels.length);
  if (outOfRange !== undefined)
    throw new RangeError(`Example ${outOfRange} does not exist; there are ${examples.labels.length}.`);
  const expected = parameterCount(architecture);
  if (gradient !== undefined && gradient.length !== expected) {
    throw new RangeError(`The gradient must have ${expected} numbers, not ${gradient.length}.`);
  }
}
