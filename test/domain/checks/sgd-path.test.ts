import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sgdPathQuerySchema } from '../../../src/domain/checks/sgd-path.ts';

test('the numbers of a path have defaults and limits', () => {
  assert.deepEqual(sgdPathQuerySchema.parse({}), { snapshots: 100, grid: 25, examples: 2500, margin: 0.2 });
  for (const [name, right, wrong] of [
    ['snapshots', ['3', '200'], ['2', '201']],
    ['grid', ['2', '50'], ['1', '51']],
    ['examples', ['1', '1000000'], ['0', '1000001']],
    ['margin', ['0', '5'], ['5.1', '-1']],
  ] as const) {
    const isValid = (value: string) => sgdPathQuerySchema.safeParse({ [name]: value }).success;
    assert.deepEqual([...right, ...wrong].map(isValid), [true, true, false, false], name);
  }
});
