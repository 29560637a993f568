/** Alternating measurements of contestants. */

export interface Contestant<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
}

/** Measures every contestant once per round, so that other load on the machine affects all alike. */
export async function takeTurns<T>(
  contestants: readonly Contestant<T>[],
  rounds: number,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, measure } of contestants) {
      process.stderr.write(`round ${round} of ${rounds}: ${name}\n`);
      results.get(name)!.push(await measure());
    }
  }
  return results;
}

export interface Effort {
  /** Measurements of each contestant. */
  readonly rounds: number;
  /** Epochs of a training turn; the first warms up. */
  readonly epochs: number;
  /** Duration of the load on a server per turn. */
  readonly loadSeconds: number;
  /** Duration of a latency measurement per turn. */
  readonly latencySeconds: number;
  /** Duration of the overload. */
  readonly overloadSeconds: number;
  /** Time for memory to be released. */
  readonly settleSeconds: number;
  /** Visits of each screen of the page. */
  readonly visits: number;
  /** Epochs of the long job that the page shows. */
  readonly pageEpochs: number;
}

export const FULL: Effort = {
  rounds: 5,
  epochs: 3,
  loadSeconds: 4,
  latencySeconds: 20,
  overloadSeconds: 60,
  settleSeconds: 30,
  visits: 7,
  pageEpochs: 10_000,
};
/** For a check that everything runs; its figures mean little and are not written. */
export const QUICK: Effort = {
  rounds: 1,
  epochs: 2,
  loadSeconds: 1,
  latencySeconds: 3,
  overloadSeconds: 3,
  settleSeconds: 1,
  visits: 1,
  pageEpochs: 500,
};
