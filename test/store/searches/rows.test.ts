import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import { newSearchRow, newTrialRows, toSearch } from '../../../src/store/searches/rows.ts';

const request = {
  ...searchRequestSchema.parse({
    dataset: 'fashion-mnist',
    vary: [{ path: '/training/l2', choices: [0, 1, 2] }],
  }),
  modelName: 'tuned',
};
const plan = {
  settings: [[0], [1], [2]],
  rungs: [1, 3],
  validationImages: 100,
  plannedEpochs: 8,
  checked: [1],
};
const row = newSearchRow('sch_1', '2026-11-26T00:00:00.000Z', request, plan, 'trace');

test('a new search has all of its trials to do', () => {
  const search = toSearch(row);
  assert.deepEqual(search.progress, {
    trials: 3,
    waiting: 3,
    active: 0,
    paused: 0,
    succeeded: 0,
    stopped: 0,
    skipped: 0,
    failed: 0,
    cancelled: 0,
    epochs: 0,
    plannedEpochs: 8,
  });
  assert.deepEqual([search.rungs, search.validationImages, search.status], [[1, 3], 100, 'running']);
  assert.deepEqual(
    [search.finishing, search.finishReason, search.model, search.best, search.error],
    [false, null, null, null, null],
  );
  assert.deepEqual([row.traceparent, row.event_count, row.deleting], ['trace', 0, 0]);
});

test('a search that finishes gives the reason, and names its version', () => {
  const finish = (finishing: number) => {
    const search = toSearch({ ...row, finishing });
    return [search.finishing, search.finishReason];
  };
  assert.deepEqual(finish(1), [true, 'requested']);
  assert.deepEqual(finish(2), [true, 'time-budget']);
  assert.deepEqual(toSearch({ ...row, model_version: 4 }).model, { name: 'tuned', version: 4 });
});

test('each repeat of each trial has a row, counted from trial 1 and repeat 0', () => {
  const rows = newTrialRows('sch_1', plan.settings.slice(1), 2);
  assert.deepEqual(
    rows.map(({ trial, repeat, setting }) => [trial, repeat, setting]),
    [
      [1, 0, '[1]'],
      [1, 1, '[1]'],
      [2, 0, '[2]'],
      [2, 1, '[2]'],
    ],
  );
  assert.ok(
    rows.every(({ search_id: id, rung, is_out: isOut }) => id === 'sch_1' && rung === 0 && isOut === 0),
  );
});
