import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { AtelierError } from '../../../src/errors.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createStatisticsCache } from '../../../src/services/inspection/statistics-cache.ts';
import type { LoadedModel } from '../../../src/services/models/loaded-version.ts';
import type { NumericPool } from '../../../src/workers/pools.ts';
import { catalogOf } from '../../support/catalog.ts';

const { signal } = new AbortController();

function dataset(id: string, images: number, changes: Partial<Dataset> = {}): Dataset {
  const examples = { pixels: new Uint8Array(784 * images), labels: new Uint8Array(images) };
  return {
    id,
    imageShape: DEFAULT_IMAGE_SHAPE,
    classNames: ['cat', 'dog'],
    digest: 'sha256:a',
    train: examples,
    validation: null,
    learning: examples,
    test: examples,
    ...changes,
  };
}

function setUp(...datasets: readonly Dataset[]) {
  const catalog = catalogOf(...datasets);
  const tasks: unknown[][] = [];
  const run = async (...task: unknown[]) => {
    tasks.push(task);
    return { of: tasks.length };
  };
  const load = createStatisticsCache(catalog, { run } as unknown as NumericPool);
  const of = (datasetId: string | null) =>
    load({ reference: { name: 'pets', version: 3 }, datasetId } as LoadedModel, signal);
  return { catalog, tasks, of };
}

/** An error of the parameter `diagnose` with this message. */
function undiagnosable(code: string, message: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AtelierError);
    assert.deepEqual([error.code, error.message], [code, `${message}. Omit ?diagnose.`]);
    const detail = 'is not available for this model';
    assert.deepEqual(error.details, [{ parameter: 'diagnose', detail }]);
    return true;
  };
}

test('measures the training images of a data set once', async () => {
  const pets = dataset('pets', 100);
  const same = dataset('same', 100, { classNames: ['dog', 'cat'] });
  const finer = dataset('finer', 100, { classNames: ['cat', 'dog', 'fish'] });
  const { tasks, of } = setUp(pets, same, finer);
  assert.equal(await of('pets'), await of('pets'));
  assert.equal(await of('same'), await of('pets'), 'the same images and number of classes');
  assert.notEqual(await of('finer'), await of('pets'));
  assert.deepEqual(
    tasks.map(([name, task]) => [name, task]),
    [
      ['measureImages', { examples: pets.train, shape: DEFAULT_IMAGE_SHAPE, classes: 2 }],
      ['measureImages', { examples: finer.train, shape: DEFAULT_IMAGE_SHAPE, classes: 3 }],
    ],
  );
});

test('rejects a model without enough training images', async () => {
  const { tasks, of } = setUp(dataset('few', 99));
  const missing = 'but it is not available; existing data sets: few';
  for (const [id, code, message] of [
    [null, 'unknown-dataset', `pets@3 was trained or evaluated on an unknown data set, ${missing}`],
    ['gone', 'unknown-dataset', `pets@3 was trained or evaluated on data set gone, ${missing}`],
    ['few', 'impossible-request', 'Data set few has 99 training images; a diagnosis requires 100'],
  ] as const) {
    await assert.rejects(of(id), undiagnosable(code, message));
  }
  assert.deepEqual(tasks, []);
});

test('a data set that is deleted in between has no diagnosis', async (t) => {
  const { catalog, tasks, of } = setUp(dataset('pets', 100));
  t.mock.method(catalog, 'get', async () => undefined);
  await assert.rejects(of('pets'), undiagnosable('unknown-dataset', 'Data set pets has just been deleted'));
  assert.deepEqual(tasks, []);
});
