/** Verdict of a comparison: whether one version classifies the same images better than another. */
import type { PairCounts } from '../../numerics/evaluation/comparison.ts';
import type { McNemarTest } from '../../numerics/evaluation/mcnemar.ts';

export const VERDICTS = ['better', 'worse', 'no-difference'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A difference that arises by chance in fewer than one of twenty cases counts. */
export const SIGNIFICANCE = 0.05;

/** From the view of the first version: n10 counts the images that only it classifies correctly. */
export function decideVerdict({ n01, n10 }: PairCounts, { pValue }: McNemarTest): Verdict {
  if (pValue >= SIGNIFICANCE) return 'no-difference';
  return n10 > n01 ? 'better' : 'worse';
}

/**
 * @param first name of the version that is judged
 * @param images what `images` images these are, such as "test images"
 * @returns one sentence, without the full stop
 */
export function describeVerdict(
  first: string,
  second: string,
  images: string,
  counts: PairCounts,
  mcnemar: McNemarTest,
): string {
  const verdict = decideVerdict(counts, mcnemar);
  const { n00, n01, n10, n11 } = counts;
  const total = n00 + n01 + n10 + n11;
  const relation =
    verdict === 'no-difference' ? 'does not differ significantly from' : `is significantly ${verdict} than`;
  return (
    `${first} ${relation} ${second}: of ${total.toLocaleString('en')} ${images}, ${percent(n10 + n11, total)} instead of ` +
    `${percent(n01 + n11, total)} are correct (McNemar's test: n10 = ${n10}, n01 = ${n01}, ${probability(mcnemar.pValue)})`
  );
}

const percent = (part: number, total: number) => `${((100 * part) / total).toFixed(2)} %`;

function probability(p: number): string {
  return p < 0.0001 ? 'p < 0.0001' : `p = ${p.toFixed(4)}`;
}
