/** Time per epoch by width, depth, batch and threads. */

import { join } from 'node:path';
import { forwardCost } from '../../src/numerics/network/architecture.ts';
import { dense } from '../../test/support/dense.ts';
import { median } from '../machine.ts';
import { node, ROOT, runJson } from '../measure/command.ts';
import type { Report, Table } from '../measure/report.ts';
import { readable } from '../measure/statistics.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';

export interface Size {
  readonly hidden: readonly number[];
  readonly batchSize: number;
}

const IMAGES = 60_000;
const THREADS = [1, 2];
const POWERS = [16, 32, 64, 128, 256, 512, 1024];
const SWEEPS: readonly { heading: string; sizes: readonly Size[] }[] = [
  {
    heading: 'Width: one hidden layer, batch 64',
    sizes: POWERS.map((w) => ({ hidden: [w], batchSize: 64 })),
  },
  {
    heading: 'Depth: hidden layers of 128, batch 64',
    sizes: [1, 2, 3, 4].map((depth) => ({ hidden: new Array<number>(depth).fill(128), batchSize: 64 })),
  },
  { heading: 'Large: 784-1024-1024-10, batch 64', sizes: [{ hidden: [1024, 1024], batchSize: 64 }] },
  { heading: 'Batch: 784-40-10', sizes: POWERS.map((batchSize) => ({ hidden: [40], batchSize })) },
];

export const SIZES: readonly Size[] = SWEEPS.flatMap(({ sizes }) => sizes);

const contestantName = ({ hidden, batchSize }: Size, threads: number) =>
  `784-${hidden.join('-')}-10, batch ${batchSize}, threads ${threads}`;

export async function scaling(effort: Effort): Promise<Report> {
  const contestants = SIZES.flatMap((size) =>
    THREADS.map((threads) => ({
      name: contestantName(size, threads),
      measure: () => secondsPerEpoch(size, threads, effort.epochs),
    })),
  );
  const seconds = new Map<string, number>();
  for (const [name, turns] of await takeTurns(contestants, effort.rounds)) seconds.set(name, median(turns));
  return {
    title: 'Cost as work grows',
    method:
      `Seconds of the kernel, with wide vectors, for an epoch of ${readable(IMAGES)} images, plain SGD; median of ${effort.rounds} turns of ` +
      `${effort.epochs} epochs, the first of which warms up. Multiply-adds are those of one image's forward pass, including zeros. ` +
      'If cost is proportional to the work, picoseconds per multiply-add (one thread, forward and backward) are constant.',
    versions: [],
    skipped: [],
    tables: SWEEPS.map(({ heading, sizes }) => secondsTable(heading, sizes, seconds)),
    goals: [],
  };
}

async function secondsPerEpoch(size: Size, threads: number, epochs: number): Promise<number> {
  const sizeArgs = [size.hidden.join('-'), size.batchSize, epochs];
  const command = node('subjects/training.ts', 'wide', threads, join(ROOT, 'data'), ...sizeArgs);
  const { imagesPerSecond } = await runJson<{ imagesPerSecond: readonly number[] }>(command);
  return IMAGES / median(imagesPerSecond.slice(1));
}

function secondsTable(heading: string, sizes: readonly Size[], seconds: ReadonlyMap<string, number>): Table {
  const rows = sizes.map((size) => {
    const [one, two] = THREADS.map((threads) => seconds.get(contestantName(size, threads))!);
    const work = forwardCost(dense([784, ...size.hidden, 10]));
    return [
      `784-${size.hidden.join('-')}-10, batch ${size.batchSize}`,
      readable(work),
      readable(one!),
      readable(two!),
      readable(one! / two!),
      readable((one! / IMAGES / work) * 1e12),
    ];
  });
  const columns = ['network', 'multiply-adds', '1 thread, s', '2 threads, s', 'gain', 'ps a multiply-add'];
  return { heading, columns, rows };
}
