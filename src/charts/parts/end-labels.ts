/** Positions of labels beside the ends of lines, pushed apart where they would overlap. */

/** Labels that touch, kept together around the mean of where they belong. */
interface Cluster {
  sum: number;
  readonly members: number[];
}

/**
 * @param wanted where each label belongs
 * @param gap smallest distance between two labels; less if they do not fit
 * @returns a position for each, within [low, high], in the order of `wanted`
 */
export function spreadLabels(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const distance = Math.min(gap, wanted.length > 1 ? (high - low) / (wanted.length - 1) : gap);
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const start = ({ sum, members }: Cluster) => {
    const length = (members.length - 1) * distance;
    return Math.max(low, Math.min(high - length, sum / members.length - length / 2));
  };
  const clusters: Cluster[] = [];
  for (const index of order) {
    let current: Cluster = { sum: wanted[index]!, members: [index] };
    for (let above = clusters.at(-1); above; above = clusters.at(-1)) {
      if (start(above) + above.members.length * distance <= start(current)) break;
      clusters.pop();
      current = { sum: above.sum + current.sum, members: [...above.members, ...current.members] };
    }
    clusters.push(current);
  }
  const positions = new Array<number>(wanted.length);
  for (const cluster of clusters) {
    for (const [i, index] of cluster.members.entries()) positions[index] = start(cluster) + i * distance;
  }
  return positions;
}
