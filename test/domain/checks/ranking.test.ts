import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAreas, describeRanking } from '../../../src/domain/checks/ranking.ts';

const areas = { areaUnderRoc: 0.75, averagePrecision: 0.5 };
const curve = {
  ...{ positives: 2, negatives: 4, ...areas },
  thresholds: [Number.POSITIVE_INFINITY, 0.75, 0.25],
  truePositives: [0, 1, 2],
  falsePositives: [0, 1, 4],
};
const empty = {
  ...{ positives: 0, negatives: 6, areaUnderRoc: null, averagePrecision: null },
  ...{ thresholds: [Number.POSITIVE_INFINITY, 0.5], truePositives: [0, 0], falsePositives: [0, 6] },
};
const ranking = { examples: 6, classes: [curve, empty], macro: areas, micro: curve, predictions: curve };
const shown = {
  threshold: [null, 0.75, 0.25],
  recall: [0, 0.5, 1],
  falsePositiveRate: [0, 0.25, 1],
  precision: [1, 0.5, 1 / 3],
  // Correct are the selected positive and the other negative examples.
  accuracy: [4 / 6, 4 / 6, 2 / 6],
};

test('a ranking is described by the rates at each threshold', () => {
  const model = { name: 'm', version: 1 };
  const split = { dataset: 'd', split: 'test', classNames: ['a', 'b'] } as const;
  assert.deepEqual(describeRanking(model, split, ranking), {
    ...{ model, dataset: 'd', split: 'test', examples: 6 },
    classes: [
      { label: 0, className: 'a', support: 2, ...areas, curve: shown },
      {
        ...{ label: 1, className: 'b', support: 0, areaUnderRoc: null, averagePrecision: null },
        curve: {
          ...{ threshold: [null, 0.5], recall: [null, null], falsePositiveRate: [0, 1] },
          ...{ precision: [1, 0], accuracy: [1, 0] },
        },
      },
    ],
    macroAverage: areas,
    microAverage: { ...areas, curve: shown },
    answered: { threshold: shown.threshold, fraction: [0, 2 / 6, 1], accuracy: shown.precision },
  });
});

test('areas are described without their curves', () => {
  assert.deepEqual(describeAreas(ranking, ['a', 'b']), {
    classes: [
      { label: 0, className: 'a', ...areas },
      { label: 1, className: 'b', areaUnderRoc: null, averagePrecision: null },
    ],
    macroAverage: areas,
    microAverage: areas,
  });
});
