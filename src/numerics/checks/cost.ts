/** The cost of a gradient check, estimated before it runs. */
import { type Architecture, blocks, forwardCost, plan, volumeSize } from '../network/architecture.ts';
import { type CoordinateChoice, sampledCounts } from '../network/coordinates.ts';

/** An exponential takes about as long as this many multiply-adds. */
const EXPONENTIAL = 10;
/** The activation, normalization, pooling and comparison of a value of a volume: measured. */
const VALUE = 20;

/**
 * Multiply-adds, including zeros, of a check of `coordinates` parameters, sampled as `chooseCoordinates` does. For each
 * example: 3 forward passes for the analytic gradient; then, for each coordinate and each evaluation, the softmax and,
 * for fully connected layer l, d_{l+1} to update the next layer and all products above it; for other layers, everything
 * above them.
 */
export function gradientCheckCost(
  architecture: Architecture,
  examples: number,
  scheme: 'central' | 'forward',
  coordinates: number,
): number {
  const { layers } = plan(architecture);
  const counts = sampledCounts({ sample: coordinates }, architecture);
  const softmax = EXPONENTIAL * architecture.classes;
  let [next, aboveNext, above, all] = [0, 0, 0, 0];
  for (const { type, output, blocks, multiplyAdds } of layers.toReversed()) {
    let sampled = 0;
    for (const _ of blocks) sampled += counts.pop()!;
    if (type === 'dense') {
      all += sampled * (next + aboveNext + softmax);
      aboveNext += next * output.channels;
      next = output.channels;
      above += multiplyAdds;
    } else {
      above += VALUE * volumeSize(output);
      all += sampled * (above + softmax);
      above += multiplyAdds;
    }
  }
  const evaluations = scheme === 'central' ? 2 : 1;
  return examples * (3 * forwardCost(architecture) + evaluations * all);
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
