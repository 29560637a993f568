import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { assertFitsModel, findDataset } from '../../../src/services/datasets/find.ts';
import { catalogOf } from '../../support/catalog.ts';

const images = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
const digits: Dataset = {
  id: 'digits',
  imageShape: [28, 28],
  classNames: ['0', '1', '2'],
  digest: '',
  train: images,
  validation: null,
  learning: images,
  test: images,
};

test('a data set that does not exist is an error that lists those that do', async () => {
  const catalog = catalogOf(digits, { ...digits, id: 'pets' });
  assert.deepEqual(await findDataset(catalog, 'digits', '#/dataset'), digits);
  const detail = 'must be one of: digits, pets';
  await assert.rejects(findDataset(catalog, 'other', '#/a'), {
    code: 'unknown-dataset',
    message: `Data set other does not exist; the data set ${detail}.`,
    details: [{ pointer: '#/a', detail }],
  });
  const none = 'must be uploaded first, with POST /v1/datasets: no data set exists';
  await assert.rejects(findDataset(catalogOf(), 'other', '#/a', 'The data set was deleted'), {
    message: `The data set was deleted; the data set ${none}.`,
    details: [{ pointer: '#/a', detail: none }],
  });
});

test('a data set fits a model with the same shape and as many classes', () => {
  const place = { parameter: 'dataset' };
  const model = { inputShape: [28, 28] as const, classNames: ['a', 'b', 'c'] };
  assert.doesNotThrow(() => assertFitsModel(digits, 'shirts@1', model, place));
  assert.throws(() => assertFitsModel(digits, 'shirts@1', { ...model, inputShape: [32, 20, 3] }, place), {
    code: 'impossible-request',
    message: 'Model shirts@1 takes images of 32×20×3, but those of data set digits are 28×28.',
    details: [{ parameter: 'dataset', detail: 'must have images of 32×20×3, like the model' }],
  });
  const fewer = { ...model, classNames: ['a', 'b'] };
  assert.throws(() => assertFitsModel(digits, 'shirts@1', fewer, place, 'Send another one.'), {
    code: 'impossible-request',
    message: 'Model shirts@1 has 2 classes, but data set digits has 3. Send another one.',
    details: [{ parameter: 'dataset', detail: 'must have the same number of classes as the model' }],
  });
});
