import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sumActiveSeconds } from '../../../src/domain/searches/active-time.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + 1000 * second).toISOString();
const sum = (now: number, ...changes: readonly (readonly [second: number, to: string])[]) =>
  sumActiveSeconds(
    changes.map(([second, to]) => ({ at: at(second), to })),
    new Date(at(now)),
  );

test('the time in which a search is paused does not count', () => {
  assert.equal(sum(10), 0);
  assert.equal(sum(10, [2, 'running']), 8);
  assert.equal(
    sum(100, [0, 'running'], [10, 'pausing'], [13, 'paused'], [50, 'running'], [55.5, 'paused']),
    18.5,
  );
});

test('a clock that was set back adds nothing', () => {
  assert.equal(sum(3, [10, 'running'], [5, 'pausing'], [8, 'running']), 3);
});
