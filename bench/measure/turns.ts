/** Who is measured, and in what order. */

export interface Contestant<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
}

/** Everyone once a round, so that a busy neighbour hits all alike. */
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
  /** How often everyone is measured. */
  readonly rounds: number;
  /** Epochs of a training turn; the first warms up. */
  readonly epochs: number;
  /** How long a server is under load in a turn. */
  readonly loadSeconds: number;
  /** How long latencies are collected in a turn. */
  readonly latencySeconds: number;
  /** How long more is asked for than a server can answer. */
  readonly overloadSeconds: number;
  /** Until memory that is let go of is let go of. */
  readonly settleSeconds: number;
}

export const FULL: Effort = {
  rounds: 5,
  epochs: 3,
  loadSeconds: 4,
  latencySeconds: 20,
  overloadSeconds: 60,
  settleSeconds: 30,
};
/** To see that everything runs; its figures mean little and are not written. */
export const QUICK: Effort = {
  rounds: 1,
  epochs: 2,
  loadSeconds: 1,
  latencySeconds: 3,
  overloadSeconds: 3,
  settleSeconds: 1,
};
