/** Processor time of one prediction over HTTP, beside a bare route. */
import { median } from '../machine.ts';
import { type Load, processorMicroseconds } from '../measure/load.ts';
import type { Goal, Table } from '../measure/report.ts';
import type { Server } from '../measure/servers.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';

const CONNECTIONS = [16, 64] as const;
const MAX_RATIO = 1.6;

export interface Served {
  readonly name: string;
  readonly server: Pick<Server, 'pid'>;
  readonly url: string;
}

/** Both servers receive the same requests, and are warm. */
export async function compareProcessorTime(
  bare: Served,
  served: Served,
  request: Pick<Load, 'headers' | 'body'>,
  effort: Effort,
): Promise<{ readonly table: Table; readonly goals: readonly Goal[] }> {
  const contestants = CONNECTIONS.flatMap((connections) =>
    [bare, served].map(({ name, server, url }) => ({
      name: `${name}, ${connections} connections`,
      measure: () =>
        processorMicroseconds(server.pid, { ...request, url, connections, seconds: effort.loadSeconds }),
    })),
  );
  const results = await takeTurns(contestants, effort.rounds);
  const ratio = (connections: number) => {
    const [ours, theirs] = [served, bare].map(
      ({ name }) => results.get(`${name}, ${connections} connections`)!,
    );
    return median(ours!) / median(theirs!);
  };
  const ratios = CONNECTIONS.flatMap((connections) => ['', readable(ratio(connections))]);
  return {
    table: {
      heading: 'Processor time of a prediction from raw bytes, user and system',
      columns: ['what', 'µs', 'smallest – largest', '÷ bare route'],
      rows: Array.from(results, ([name, values], n) => [name, ...spread(values), ratios[n]!]),
    },
    goals: CONNECTIONS.map((connections) => ({
      what: `processor time ÷ bare route, ${connections} connections`,
      measured: ratio(connections),
      atMost: MAX_RATIO,
    })),
  };
}
