import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportInput } from '../../../../src/formats/documents/lab-report/input.ts';
import { searchBlocks } from '../../../../src/formats/documents/lab-report/search.ts';

test('the table of a search shows numbers, names and lists that vary, and a dash for a value that is missing', () => {
  const paths = [
    '/training/optimizer/learningRate',
    '/network/hidden',
    '/network/activation',
    '/training/ema',
  ];
  const [rate, hidden, activation, ema] = paths;
  const trial = {
    validationLoss: 0.5,
    validationAccuracy: 0.75,
    standardError: 0.01,
    withinOneError: true,
    epochs: 3,
  };
  const report = {
    job: { search: { trial: 2 } },
    search: {
      id: 'sea_1',
      vary: paths.map((path) => ({ path })),
      progress: { trials: 2 },
      validationImages: 100,
      best: null,
    },
    trials: [
      {
        ...trial,
        rank: 1,
        trial: 2,
        values: { [rate!]: 0.1, [hidden!]: [40, 20], [activation!]: 'relu', [ema!]: null },
      },
      { ...trial, rank: null, trial: 1, values: { [rate!]: 1e-7, [hidden!]: [], [activation!]: 'tanh' } },
    ],
  };
  const blocks = searchBlocks({ report } as unknown as ReportInput);
  const table = blocks.find((block) => block.kind === 'table');
  assert.ok(table);
  assert.deepEqual(
    table.rows.map((row) => row.slice(2, 6)),
    [
      [{ value: 0.1, shown: '0.1' }, '[40,20]', '"relu"', 'null'],
      [{ value: 1e-7, shown: '1e-7' }, '[]', '"tanh"', '–'],
    ],
  );
});

test('a job without a search, or whose search was deleted, has no section about it', () => {
  const blocks = (job: unknown, search: unknown) =>
    searchBlocks({ report: { job: { search: job }, search, trials: [] } } as unknown as ReportInput);
  assert.deepEqual([blocks(null, {}), blocks({ trial: 1 }, null)], [[], []]);
});
