import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalog } from '../../../src/datasets/catalog.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/domain/image-shape.ts';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { AtelierError } from '../../../src/errors.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { assertTrainingFits, trainingJobBytes } from '../../../src/services/memory/limits.ts';

const none = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
const classNames = Array.from({ length: 10 }, (_, label) => `${label}`);
const catalog = createCatalog([
  { id: 'digits', imageShape: DEFAULT_IMAGE_SHAPE, classNames, digest: '', train: none, test: none },
]);
const memory = createMemoryLedger();
const training = (hidden: number[]) => {
  const request = trainingRequestSchema.parse({ dataset: 'digits' });
  return { ...request, network: { ...request.network, hidden } };
};

function refusal(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AtelierError && error.code === 'impossible-request');
    assert.match(error.message, message);
    assert.deepEqual(error.details, [{ pointer: '#/network/hidden', detail: 'requires too much memory' }]);
    return true;
  };
}

test('rejects a network that does not fit into memory, with its estimate', () => {
  const huge = [10_000_000, 100_000];
  assert.throws(
    () => assertTrainingFits(memory, training(huge), catalog),
    refusal(/Training a 784-10000000-100000-10 network takes about \d+ MiB.*\d+ MiB are available/),
  );
});

test("accepts the notebook's network", () => {
  assert.doesNotThrow(() => assertTrainingFits(memory, training([40]), catalog));
});

test('the estimate of a job includes the tensors that it loads', () => {
  const uploaded = {
    ...catalog.summary('digits')!,
    id: 'dst_1',
    splits: { train: { examples: 1000, examplesPerClass: [] }, test: { examples: 0, examplesPerClass: [] } },
  };
  const load = () => Promise.reject(new Error('not loaded'));
  const stored = createCatalog([], { summaries: [uploaded], load, admit() {}, maxBytes: 0 });
  const difference =
    trainingJobBytes({ ...training([40]), dataset: 'dst_1' }, stored)! -
    trainingJobBytes(training([40]), catalog)!;
  assert.equal(difference, 785_000);
});
