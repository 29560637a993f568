import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingRequest } from '../../../src/domain/jobs/request.ts';
import {
  describeConflicts,
  findCountConflicts,
  findProposalConflicts,
  findRangeConflicts,
  findTrialConflicts,
  findVariationConflicts,
  locate,
  parseTrial,
} from '../../../src/domain/searches/conflicts.ts';
import { type SearchRequest, searchRequestSchema } from '../../../src/domain/searches/request.ts';

const L2 = '/training/l2';
const GRID = { type: 'grid' } as const;
const random = (trials: number) => ({ type: 'random', trials }) as const;

function search(changes: Record<string, unknown>): SearchRequest {
  const vary = [{ path: L2, choices: [0, 0.1] }];
  return { ...searchRequestSchema.parse({ dataset: 'fashion-mnist', vary }), ...changes } as SearchRequest;
}

test('conflicts of what varies have their place', () => {
  const found = (vary: readonly object[], changes = {}) =>
    findVariationConflicts(search({ vary, method: GRID, ...changes }));
  assert.deepEqual(
    found([
      { path: L2, choices: [0, 1] },
      { path: '/network/hidden', choices: [[1], [2]] },
    ]),
    [],
  );
  assert.deepEqual(
    found([
      { path: L2, choices: [0, 1] },
      { path: L2, min: 0, max: 1 },
    ]),
    [
      { pointer: '#/vary/1/path', detail: `overlaps with ${L2}: both vary` },
      { pointer: '#/vary/1/points', detail: 'is required for a range in a grid, unless it has a step' },
    ],
  );
  assert.deepEqual(found([{ path: '/network/hidden/a', choices: [1, 2] }], { network: { hidden: [40] } }), [
    { pointer: '#/vary/0/path', detail: 'must have the index of an item, such as 0, instead of a' },
  ]);
  assert.deepEqual(found([{ path: L2, choices: [0, 0] }]), [
    {
      pointer: '#/vary/0/choices',
      detail: 'must be different, but some of them name the same versions as teachers',
    },
  ]);
  const epochs = [{ path: '/training/epochs', choices: [1, 2] }];
  assert.deepEqual(found(epochs), []);
  assert.deepEqual(found(epochs, { halving: { factor: 3, minEpochs: 1 } }), [
    {
      pointer: '#/vary/0/path',
      detail: 'must not be /training/epochs with halving: it compares trials after the same epochs',
    },
  ]);
  const equal = 'must give different values, but some are equal once they are rounded';
  assert.deepEqual(found([{ path: L2, min: 1, max: 1.0001, points: 4 }]), [
    { pointer: '#/vary/0/points', detail: equal },
  ]);
  assert.deepEqual(found([{ path: L2, min: 1, max: 1 + 1e-12, step: 1e-13 }]), [
    { pointer: '#/vary/0/step', detail: equal },
  ]);
  assert.deepEqual(found([{ path: L2, min: 1, max: 1.0001 }], { method: random(2) }), []);
});

test('an end of a random range that no training can have is a conflict', () => {
  const rate = { path: '/training/optimizer/learningRate', min: -1, max: 1e9 };
  const conflicts = findRangeConflicts(
    search({ vary: [{ path: L2, choices: [0, 1] }, rate], method: random(2) }),
  );
  assert.deepEqual(
    conflicts.map(({ pointer }) => pointer),
    ['#/vary/1/min', '#/vary/1/max'],
  );
  assert.deepEqual(findRangeConflicts(search({ vary: [rate], method: GRID })), []);
  const fine = { ...rate, min: 0.1, max: 1 };
  assert.deepEqual(findRangeConflicts(search({ vary: [fine], method: random(2) })), []);
});

const choices = (count: number) => ({ path: L2, choices: Array.from({ length: count }, (_, i) => i) });
for (const [what, changes, expected] of [
  ['all settings of a small space', { vary: [choices(2)], method: random(2) }, []],
  [
    'more settings than there are',
    { vary: [choices(2)], method: random(3) },
    [{ pointer: '#/method/trials', detail: 'must be at most 2, the number of different settings' }],
  ],
  [
    'a single setting',
    { vary: [choices(1)], method: GRID },
    [{ pointer: '#/vary', detail: 'must give at least two settings, but gives one' }],
  ],
  ['1,000 settings', { vary: [choices(100), choices(10)], method: GRID }, []],
  [
    'more than 1,000 settings',
    { vary: [choices(91), choices(11)], method: GRID, repeats: 10 },
    [{ pointer: '#/vary', detail: 'must give at most 1000 settings' }],
  ],
  ['1,000 trainings', { vary: [choices(100)], method: GRID, repeats: 10 }, []],
  [
    'more than 1,000 trainings',
    { vary: [choices(3), choices(100)], method: GRID, repeats: 4 },
    [{ pointer: '#/repeats', detail: 'must be at most 3, so that at most 1000 jobs train' }],
  ],
  ['the last seed', { method: GRID, seed: 0xffff_ffff - 1, repeats: 2 }, []],
  [
    'seeds beyond the last',
    { method: GRID, seed: 0xffff_ffff - 1, repeats: 3 },
    [{ pointer: '#/repeats', detail: 'must not lead to a seed above 4294967295' }],
  ],
] as const) {
  test(`the conflicts of ${what} are counted`, () => {
    assert.deepEqual(findCountConflicts(search(changes)), expected);
  });
}

test('fewer different settings than trials are a conflict of a random search', () => {
  assert.deepEqual(findProposalConflicts({ method: random(2) }, [[1], [2]]), []);
  assert.deepEqual(findProposalConflicts({ method: GRID }, []), []);
  assert.deepEqual(findProposalConflicts({ method: random(3) }, [[1], [2]]), [
    {
      pointer: '#/method/trials',
      detail: 'must be at most 2, the number of different settings once they are rounded',
    },
  ]);
});

test('a trial has a training request with defaults, or conflicts at what varies', () => {
  const parsed = parseTrial(search({}), [0.1], 2);
  assert.ok('request' in parsed);
  assert.deepEqual([parsed.request.training.l2, parsed.request.testSet], [0.1, 'never']);
  const failed = parseTrial(search({}), [-1], 2);
  assert.ok('conflicts' in failed);
  assert.deepEqual(failed.conflicts, [
    {
      pointer: '#/vary/0/path',
      detail: 'in trial 2 with /training/l2 = -1, #/training/l2 must be at least 0, but is -1',
    },
  ]);
});

test('a trial must fit to the search', () => {
  const training = { earlyStopping: null, budget: null, epochs: 4 };
  const conflicts = (changes: object, halving: object | null, validationImages = 1) =>
    findTrialConflicts(
      search({ halving }),
      { training: { ...training, ...changes } } as unknown as TrainingRequest,
      validationImages,
    ).map(({ pointer, detail }) => `${pointer} ${detail}`);
  assert.deepEqual(conflicts({}, null), []);
  assert.deepEqual(conflicts({ budget: { steps: 5 }, earlyStopping: {} }, null), []);
  assert.deepEqual(conflicts({}, { minEpochs: 3 }), []);
  assert.deepEqual(conflicts({}, null, 0), [
    '#/training/validation must hold out images in a search: it compares trials on them',
  ]);
  assert.deepEqual(conflicts({ budget: { seconds: 5 } }, null), [
    '#/training/budget/seconds must be left out of a trial, whose result does not depend on time; limit the search by its own budget',
  ]);
  assert.deepEqual(conflicts({ budget: { seconds: 5 }, earlyStopping: {} }, { minEpochs: 4 }), [
    '#/training/earlyStopping must be null with halving: it stops trials itself',
    '#/training/budget must be null with halving; limit the search by its own budget',
    '#/halving/minEpochs must be less than the 4 epochs of a complete trial',
  ]);
});

test('conflicts are located at the variation that they come from, at most 20', () => {
  const request = search({ vary: [{ path: L2 }, { path: '/network/hidden' }] });
  const one = (pointer: string, detail: string) => locate(request, [0, [1]], 3, [{ pointer, detail }])[0];
  const values = 'in trial 3 with /training/l2 = 0, /network/hidden = [1],';
  assert.deepEqual(one('#/network/hidden/0', 'is small'), {
    pointer: '#/vary/1/path',
    detail: `${values} #/network/hidden/0 is small`,
  });
  assert.deepEqual(one('#/network', 'Unknown field.'), {
    pointer: '#/vary/1/path',
    detail: `${values} #/network: Unknown field.`,
  });
  assert.deepEqual(one('#/training/l1', 'is small'), {
    pointer: '#/training/l1',
    detail: `${values} #/training/l1 is small`,
  });
  const many = new Array(21).fill({ pointer: '#/a', detail: 'b' });
  assert.equal(locate(request, [0, [1]], 3, many).length, 20);
});

test('conflicts are described as sentences', () => {
  const conflicts = [
    { pointer: '#/a', detail: 'must be b' },
    { pointer: '#/c', detail: 'Unknown field.' },
  ];
  assert.equal(describeConflicts(conflicts), '#/a: Must be b. #/c: Unknown field.');
});
