import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { assertComparable, selectCell } from '../../../src/services/inspection/evaluation-requests.ts';

const version = (name: string, classNames: string[], inputShape = [28, 28]) =>
  ({ name, version: 1, classNames, inputShape }) as ModelVersion;
const model = version('mine', ['a', 'b', 'c']);
const select = (cell: { label?: number; predicted?: number }) =>
  selectCell(model, { split: 'test', ...cell });

test('a cell has both of its classes, and the model has them', () => {
  assert.deepEqual(select({ label: 2, predicted: 0 }), { label: 2, predicted: 0 });
  assert.deepEqual(select({ label: 0, predicted: 2 }), { label: 0, predicted: 2 });
  assert.equal(select({ label: 2 }), null);
  assert.equal(select({ predicted: 2 }), null);
  assert.equal(select({}), null);
  for (const [cell, parameter] of [
    [{ label: 3, predicted: 0 }, 'label'],
    [{ label: 0, predicted: 3 }, 'predicted'],
    [{ label: 2, predicted: 3 }, 'predicted'],
    [{ label: 3, predicted: 3 }, 'label'],
  ] as const) {
    assert.throws(() => select(cell), {
      code: 'impossible-request',
      message: 'The classes of model mine are 0 to 2.',
      details: [{ parameter, detail: 'must be an integer from 0 to 2' }],
    });
  }
});

test('versions of other shapes or classes cannot be compared', () => {
  assertComparable(model, version('other', ['a', 'b', 'c']));
  for (const [other, expected] of [
    [version('other', ['a', 'b', 'c'], [8, 8]), /input shape 28×28; version 1 of model other has 8×8/],
    [version('other', ['a', 'b', 'c'], [28, 28, 3]), /input shape/],
    [version('other', ['a', 'c', 'b']), /classes a, b, c; version 1 of model other has a, c, b/],
    [version('other', ['a', 'b']), /classes/],
    [version('other', ['a', 'b', 'c', 'd']), /classes/],
  ] as const) {
    assert.throws(() => assertComparable(model, other), expected);
  }
});
