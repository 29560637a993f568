/** Names of jobs in a plot: the options that distinguish them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plotNames } from '../../src/charts/plot-names.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';

interface Options {
  readonly dataset?: string;
  readonly seed?: number;
  readonly hidden?: readonly number[];
  readonly optimizer?: object;
  readonly epochs?: number;
}

const names = (...all: readonly Options[]) =>
  plotNames(
    all.map(({ dataset = 'fashion-mnist', seed = 0, hidden = [40], epochs = 10, optimizer }, i) => ({
      id: `job_00000${i}`,
      dataset,
      seed,
      network: { hidden },
      training: { epochs, optimizer: optimizer ?? { type: 'sgd', learningRate: 0.1, momentum: 0 } },
      warmStart: null,
    })) as unknown as readonly TrainingJob[],
  );
const adam = { type: 'adam', learningRate: 0.3, beta1: 0.9, beta2: 0.999 };
const sgd = (learningRate: number) => ({ type: 'sgd', learningRate, momentum: 0 });

test('a name has the options that distinguish most jobs, the learning rate first', () => {
  assert.deepEqual(names({}, { optimizer: adam }), ['learning rate 0.1, sgd', 'learning rate 0.3, adam']);
  const mixed = names(
    { optimizer: sgd(100) },
    { hidden: [16, 8], dataset: 'dst_48a3ccc888593ad8962e0e651f9f1a22ad7ef161' },
    { hidden: [16, 8] },
    {},
  );
  assert.deepEqual(mixed, [
    'learning rate 100, hidden 40, dataset fashion-mnist',
    'learning rate 0.1, hidden 16-8, dataset dst_48a3ccc8885…',
    'learning rate 0.1, hidden 16-8, dataset fashion-mnist',
    'learning rate 0.1, hidden 40, dataset fashion-mnist',
  ]);
});

test('ids distinguish only jobs whose names are the same', () => {
  assert.deepEqual(names({}, {}), ['job …000000', 'job …000001']);
  assert.deepEqual(names({ seed: 1 }, {}, {}), ['seed 1', 'seed 0 …000001', 'seed 0 …000002']);
  assert.deepEqual(names({ epochs: 3 }, { seed: 1 }), ['seed 0, epochs 3', 'seed 1, epochs 10']);
});
