import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  classNamesSchema,
  datasetFieldsSchema,
  FILE_PARTS,
} from '../../../src/domain/datasets/upload-form.ts';

const isValid = (fields: object) => datasetFieldsSchema.safeParse(fields).success;

test('fields that are not sent are unknown, except the seed and the shape', () => {
  assert.deepEqual(datasetFieldsSchema.parse({}), {
    name: null,
    classNames: null,
    testFraction: null,
    seed: 0,
    imageShape: 'auto',
    labels: null,
    damaged: null,
    dryRun: 'false',
    fileColumn: null,
    labelColumn: null,
    splitColumn: null,
    fit: null,
    background: null,
    invert: null,
  });
});

test('fields arrive as text, and are numbers and lists within their limits', () => {
  const { seed, testFraction, name, classNames } = datasetFieldsSchema.parse({
    seed: '4294967295',
    testFraction: '0.5',
    name: ' Züge ',
    classNames: 'cat, dog',
  });
  assert.deepEqual([seed, testFraction, name, classNames], [4294967295, 0.5, 'Züge', ['cat', 'dog']]);
  assert.ok(isValid({ testFraction: '0.05', name: 'x'.repeat(100) }));
  for (const wrong of [
    { seed: '4294967296' },
    { seed: '-1' },
    { seed: '1.5' },
    { seed: '' },
    { testFraction: '0.51' },
    { testFraction: '0.04' },
    { name: ' ' },
    { name: 'x'.repeat(101) },
    { name: 'a\u0007b' },
    { name: 'a\uD800' },
    { fit: 'fill' },
    { other: 'a' },
  ]) {
    assert.ok(!isValid(wrong), JSON.stringify(wrong));
  }
});

test('there are 2 to 1,000 classes, with different names', () => {
  const names = Array.from({ length: 1001 }, (_, n) => `class ${n}`);
  const counts = [1, 2, 1000, 1001].map((count) => classNamesSchema.safeParse(names.slice(0, count)).success);
  assert.deepEqual(counts, [false, true, true, false]);
  assert.equal(classNamesSchema.safeParse(['a', ' a ']).success, false);
});

test('a form has one file, an array for each part under either of its names, or a table a split', () => {
  assert.deepEqual(FILE_PARTS, [
    'file',
    'train_images',
    'x_train',
    'train_labels',
    'y_train',
    'val_images',
    'x_val',
    'val_labels',
    'y_val',
    'test_images',
    'x_test',
    'test_labels',
    'y_test',
    'train',
    'val',
    'test',
  ]);
});
