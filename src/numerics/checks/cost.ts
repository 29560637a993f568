/** The cost of a gradient check, estimated before it runs. */
import {
  type Architecture,
  blocks,
  forwardCost,
  parameterCount,
  plan,
  volumeSize,
} from '../network/architecture.ts';
import { type CoordinateChoice, coordinateCount, sampledCounts } from '../network/coordinates.ts';
import { explanationReads } from './submitted/effort.ts';
import { sourceCount } from './submitted/sources.ts';

/** An exponential takes about as long as this many multiply-adds. */
const EXPONENTIAL = 10;
/** The activation, normalization, pooling and comparison of a value of a volume: measured. */
const VALUE = 20;
/** Times that a gradient is written and read apart from its computation: measured. */
const GRADIENT_READS = 10;

/**
 * For each block, the multiply-adds, zeros included, of the loss of one example with one coordinate of the block changed: the
 * softmax and, for fully connected layer l, d_{l+1} to update the next layer and all products above it; for other layers,
 * everything above them.
 */
export function perturbedLossCosts(architecture: Architecture): number[] {
  const { layers } = plan(architecture);
  const softmax = EXPONENTIAL * architecture.classes;
  let [next, aboveNext, above] = [0, 0, 0];
  const costs = layers.toReversed().map(({ type, output, blocks, multiplyAdds }) => {
    if (type !== 'dense') above += VALUE * volumeSize(output);
    const cost = softmax + (type === 'dense' ? next + aboveNext : above);
    above += multiplyAdds;
    aboveNext += next * output.channels;
    next = output.channels;
    return blocks.map(() => cost);
  });
  return costs.toReversed().flat();
}

/**
 * Multiply-adds, including zeros, of a check of `coordinates` parameters, sampled as `chooseCoordinates` does. For each
 * example: 3 forward passes for the analytic gradient, then a loss for each coordinate and each evaluation.
 */
export function gradientCheckCost(
  architecture: Architecture,
  examples: number,
  scheme: 'central' | 'forward',
  coordinates: number,
): number {
  const costs = perturbedLossCosts(architecture);
  const counts = sampledCounts({ sample: coordinates }, architecture);
  const losses = costs.reduce((sum, cost, b) => sum + counts[b]! * cost, 0);
  const evaluations = scheme === 'central' ? 2 : 1;
  return examples * (3 * forwardCost(architecture) + evaluations * losses);
}

/** Multiply-adds of the comparison with a submitted gradient, if all mistakes are tried; to read a number takes as long as one. */
export function comparisonCost(architecture: Architecture, examples: number): number {
  const sources = sourceCount(architecture);
  const parameters = parameterCount(architecture);
  const gradient = 3 * examples * forwardCost(architecture) + GRADIENT_READS * parameters;
  return sources * gradient + explanationReads(sources, parameters);
}

/**
 * All coordinates of a network without convolutions, which take milliseconds. Otherwise a sample: `largest`, or the first half of
 * a half … of it that costs at most `limit` multiply-adds, but one coordinate of each block.
 */
export function affordableCoordinates(
  architecture: Architecture,
  examples: number,
  scheme: 'central' | 'forward',
  largest: number,
  limit: number,
): CoordinateChoice {
  if (architecture.convolutions.length === 0) return 'all';
  const smallest = blocks(architecture).length;
  let sample = largest;
  while (sample > smallest && gradientCheckCost(architecture, examples, scheme, sample) > limit) sample >>= 1;
  return { sample: Math.max(smallest, sample) };
}

/** Images on which the gradient of a network with convolutions is checked before a training. */
export const PREFLIGHT_IMAGES = 1;

/** Coordinates of that check: at most 100, which take a few seconds at most. */
export const preflightCoordinates = (architecture: Architecture): CoordinateChoice =>
  affordableCoordinates(architecture, PREFLIGHT_IMAGES, 'central', 100, 4e9);

/** Multiply-adds of that check; the one of other networks takes milliseconds. */
export function preflightCost(architecture: Architecture): number {
  const coordinates = coordinateCount(preflightCoordinates(architecture), architecture);
  return gradientCheckCost(architecture, PREFLIGHT_IMAGES, 'central', coordinates);
}
