/** Training throughput, compared with NumPy, PyTorch, scikit-learn and TensorFlow.js. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../machine.ts';
import {
  type Command,
  node,
  nodeVersion,
  PYTHON,
  python,
  pythonVersions,
  ROOT,
  runJson,
} from '../measure/command.ts';
import type { Goal, Report, Table } from '../measure/report.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';

/** Output of every training process. */
interface Training {
  readonly imagesPerSecond: readonly number[];
  readonly loss: number;
}

export interface Participant {
  readonly name: string;
  /** null or undefined if it is not installed. */
  readonly version: string | null | undefined;
  readonly command: Command;
}

const DATA = join(ROOT, 'data');
const SMALL = [DATA, '40', '64'];
const LARGE = [DATA, '512-256', '128'];
const COLOUR = ['256', '64'];
const REGULARIZED = ['0.9', '0.2'];
const KERNEL = 'Atelier kernel';
const WIDE = 'Atelier kernel, wide vectors';
export const threads = (count: number) => (count === 1 ? '1 thread' : `${count} threads`);

export async function training(effort: Effort): Promise<Report> {
  const versions = await pythonVersions('numpy', 'torch', 'sklearn');
  const [numpy, torch, sklearn] = ['numpy', 'torch', 'sklearn'].map((name) => versions.get(name));
  const tensorflow = nodeVersion('@tensorflow/tfjs-backend-wasm');
  const atelier = (engine: string, count: number, ...args: string[]) =>
    node('subjects/training.ts', engine, count, ...args);
  const kernels = (count: number, ...args: string[]): Participant[] => [
    { name: `${KERNEL}, ${threads(count)}`, version: '', command: atelier('kernel', count, ...args) },
    { name: `${WIDE}, ${threads(count)}`, version: '', command: atelier('wide', count, ...args) },
  ];
  const epochs = String(effort.epochs);
  const small: Participant[] = [
    {
      name: 'NumPy + OpenBLAS, 1 thread',
      version: numpy?.includes('OpenBLAS') ? numpy : null,
      command: python(1, 'numpy_training.py', ...SMALL, epochs),
    },
    ...[1, 2].map((count) => ({
      name: `PyTorch, ${threads(count)}`,
      version: torch,
      command: python(count, 'peers/torch_training.py', ...SMALL, epochs),
    })),
    {
      name: 'scikit-learn, 1 thread',
      version: sklearn,
      command: python(1, 'peers/sklearn_training.py', ...SMALL, epochs),
    },
    {
      name: 'TensorFlow.js, wasm',
      version: tensorflow,
      command: node('peers/tfjs-training.ts', ...SMALL, epochs),
    },
    { name: 'Atelier reference, float64', version: '', command: atelier('reference', 1, ...SMALL, epochs) },
    ...[1, 2].flatMap((count) => kernels(count, ...SMALL, epochs)),
  ];
  const large: Participant[] = [1, 2].flatMap((count) => [
    {
      name: `PyTorch, ${threads(count)}`,
      version: torch,
      command: python(count, 'peers/torch_training.py', ...LARGE, epochs, ...REGULARIZED),
    },
    ...kernels(count, ...LARGE, epochs, ...REGULARIZED),
  ]);

  const folder = mkdtempSync(join(tmpdir(), 'atelier-colour-'));
  using cleanup = new DisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true }));
  if (numpy) drawColourShapes(folder);
  const colour: Participant[] = [1, 2].flatMap((count) => [
    ...(count === 1
      ? [
          {
            name: 'NumPy + OpenBLAS, 1 thread',
            version: numpy?.includes('OpenBLAS') ? numpy : null,
            command: python(1, 'numpy_training.py', folder, ...COLOUR, epochs),
          },
        ]
      : []),
    {
      name: `PyTorch, ${threads(count)}`,
      version: torch,
      command: python(count, 'peers/torch_training.py', folder, ...COLOUR, epochs),
    },
    ...(numpy ? kernels(count, folder, ...COLOUR, epochs) : []),
  ]);

  const first = await measureTrainings('784-40-10, batch 64, SGD 0.1', small, effort);
  const second = await measureTrainings(
    '784-512-256-10, batch 128, momentum 0.9, dropout 0.2',
    large,
    effort,
  );
  const third = await measureTrainings('3072-256-6, batch 64, SGD 0.1, 32×32 colour images', colour, effort);
  const absent = [...small, ...large, ...colour].filter(
    ({ version }) => version === null || version === undefined,
  );
  return {
    title: 'Training',
    method:
      'Images per second, over all of the 60,000, or 4,800 drawn colour images, that fill whole batches; float32 except for the reference. Each turn is a ' +
      `separate process that trains ${epochs} epochs, of which the first warms up; median of ${effort.rounds} turns, ` +
      'alternating. Wide vectors are the default on processors that have them (WIDE_VECTORS=auto); the goals are theirs. The loss is the mean of the last epoch, before each update. Shuffling is not counted, except in scikit-learn.',
    versions: [
      `NumPy ${numpy}`,
      `PyTorch ${torch}`,
      `scikit-learn ${sklearn}`,
      `TensorFlow.js ${tensorflow}`,
    ].filter((text) => !/null|undefined/.test(text)),
    skipped: [...new Set(absent.map(({ name }) => `${name} (not installed)`))],
    tables: [first.table, second.table, third.table],
    goals: goals(first.medians, second.medians, third.medians),
  };
}

/** Writes the images of the recipe `colour-shapes`, nearly all of whose values are above zero. */
function drawColourShapes(folder: string): void {
  const file = join(folder, 'images.npz');
  execFileSync(PYTHON, [join(ROOT, 'examples/recipes/colour-shapes.py'), file]);
  const save =
    'import sys, numpy as np\nfor name, array in np.load(sys.argv[1]).items(): np.save(f"{sys.argv[2]}/{name}.npy", array)';
  execFileSync(PYTHON, ['-c', save, file, folder]);
}

export async function measureTrainings(
  heading: string,
  participants: readonly Participant[],
  effort: Effort,
) {
  const present = participants.filter(({ version }) => typeof version === 'string');
  const results = await takeTurns(
    present.map(({ name, command }) => ({ name, measure: () => runJson<Training>(command) })),
    effort.rounds,
  );
  const medians = new Map<string, number>();
  const rows: string[][] = [];
  for (const [name, turns] of results) {
    const rates = turns.map(({ imagesPerSecond }) => median(imagesPerSecond.slice(1)));
    medians.set(name, median(rates));
    rows.push([name, ...spread(rates), readable(turns[0]!.loss)]);
  }
  const table: Table = { heading, columns: ['who', 'images/s', 'smallest – largest', 'loss'], rows };
  return { table, medians };
}

function goals(
  small: ReadonlyMap<string, number>,
  large: ReadonlyMap<string, number>,
  colour: ReadonlyMap<string, number>,
): Goal[] {
  const either = (who: string) => [1, 2].map((count) => `${who}, ${threads(count)}`);
  const numpy = ['NumPy + OpenBLAS, 1 thread'];
  const torch = either('PyTorch');
  const ours = either(WIDE);
  return [
    compareMedians(small, [`${WIDE}, 1 thread`], numpy, '1 thread ÷ NumPy', 1.7),
    compareMedians(small, [`${WIDE}, 2 threads`], numpy, '2 threads ÷ NumPy', 3),
    compareMedians(small, ours, torch, 'at its best ÷ PyTorch at its best', 6),
    compareMedians(small, ours, ['TensorFlow.js, wasm'], 'at its best ÷ TensorFlow.js wasm', 40),
    compareMedians(large, ours, torch, '784-512-256-10: at its best ÷ PyTorch at its best', 2),
    compareMedians(
      colour,
      [`${WIDE}, 1 thread`],
      [...numpy, 'PyTorch, 1 thread'],
      '3072-256-6: 1 thread ÷ the faster of NumPy and PyTorch',
      2,
    ),
    compareMedians(
      colour,
      [`${WIDE}, 2 threads`],
      ['PyTorch, 2 threads'],
      '3072-256-6: 2 threads ÷ PyTorch',
      1.5,
    ),
  ];
}

/** The ratio of the best rates of ours and of peers; undefined if one of them was not measured. */
export function compareMedians(
  rates: ReadonlyMap<string, number>,
  who: readonly string[],
  peers: readonly string[],
  what: string,
  atLeast: number,
): Goal {
  const best = (names: readonly string[]) => {
    const found = names.flatMap((name) => rates.get(name) ?? []);
    return found.length === 0 ? undefined : Math.max(...found);
  };
  const [ours, theirs] = [best(who), best(peers)];
  return { what, measured: ours === undefined || theirs === undefined ? undefined : ours / theirs, atLeast };
}
