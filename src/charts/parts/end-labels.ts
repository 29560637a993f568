/** Positions of labels beside the ends of lines, pushed apart where they would overlap. */

/** Labels that touch, kept together around the mean of where they belong. */
interface Cluster {
  /** Sum of the wanted positions. */
  sum: number;
  /** Indices of labels. */
  readonly members: number[];
}

/**
 * @param wanted where each label belongs
 * @param gap distance that labels keep; they keep less if they would not fit into [low, high]
 * @returns a position for each, within [low, high], in the order of `wanted`
 */
export function spreadLabels(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const distance = Math.min(gap, wanted.length > 1 ? (high - low) / (wanted.length - 1) : gap);
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]!);
  /** Position of the first label of a cluster: the mean of the cluster is where it belongs, as far as [low, high] allows. */
  const firstPosition = ({ sum, members }: Cluster) => {
    const length = (members.length - 1) * distance;
    return Math.max(low, Math.min(high - length, sum / members.length - length / 2));
  };
  const clusters: Cluster[] = [];
  for (const index of order) {
    let current: Cluster = { sum: wanted[index]!, members: [index] };
    for (let previous = clusters.at(-1); previous; previous = clusters.at(-1)) {
      const touches = firstPosition(previous) + previous.members.length * distance > firstPosition(current);
      if (!touches) break;
      clusters.pop();
      current = { sum: previous.sum + current.sum, members: [...previous.members, ...current.members] };
    }
    clusters.push(current);
  }
  const positions = new Array<number>(wanted.length);
  for (const cluster of clusters) {
    for (const [i, index] of cluster.members.entries()) {
      positions[index] = firstPosition(cluster) + i * distance;
    }
  }
  return positions;
}
