/** Settings of a search: grids and random draws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SearchRequest, Variation } from '../../../src/domain/searches/request.ts';
import { plannedEpochs, rungEpochs, trialsWithin } from '../../../src/domain/searches/rungs.ts';
import { countSettings, proposeSettings, rangeEnds } from '../../../src/domain/searches/settings.ts';

const path = '/training/l2';
const propose = (vary: Variation[], method: SearchRequest['method'] = { type: 'grid' }, seed = 0) =>
  proposeSettings({ vary, method, seed });
const random = (trials: number) => ({ type: 'random', trials }) as const;

test('a grid varies the last dimension first, over points on its scale or multiples of a step', () => {
  const settings = propose([
    { path, choices: ['a', { b: 1 }] },
    { path, min: 0.001, max: 1, scale: 'log', points: 4 },
  ]);
  const points = [0.001, 0.01, 0.1, 1];
  assert.deepEqual(
    settings,
    ['a', { b: 1 }].flatMap((first) => points.map((point) => [first, point])),
  );
  assert.deepEqual(propose([{ path, min: 0, max: 0.3, step: 0.1 }]), [[0], [0.1], [0.2], [0.3]]);
  assert.deepEqual(propose([{ path, min: 1, max: 2, points: 3 }]), [[1], [1.5], [2]]);
});

test('random settings depend on the seed and their number alone, and cover their range', () => {
  const vary: Variation[] = [
    { path, min: 0.001, max: 0.5, scale: 'log' },
    { path, min: 16, max: 256, step: 16 },
    { path, choices: [[30], [40]] },
  ];
  const many = propose(vary, random(300));
  assert.deepEqual(propose(vary, random(10)), many.slice(0, 10));
  assert.notDeepEqual(propose(vary, random(10), 1), many.slice(0, 10));
  // Threefry, so these values are the same on every machine and in every release.
  assert.deepEqual(many.slice(0, 2), [
    [0.2892, 224, [30]],
    [0.3118, 208, [40]],
  ]);
  const rates = many.map(([rate]) => rate as number);
  assert.ok(Math.min(...rates) < 0.0012 && Math.max(...rates) > 0.45);
  // Half of the draws of a logarithmic scale are below the geometric mean.
  const below = rates.filter((rate) => rate < Math.sqrt(0.001 * 0.5)).length;
  assert.ok(below > 120 && below < 180, String(below));
  assert.ok(many.every(([, batch]) => Number.isInteger((batch as number) / 16)));
});

test('random settings of a finite space are all different, up to all of them', () => {
  const vary: Variation[] = [
    { path, choices: [1, 2, 3, 4, 5] },
    { path, min: 1, max: 20, step: 1 },
  ];
  assert.equal(countSettings({ vary, method: random(100) }), 100);
  const settings = propose(vary, random(100)).map((setting) => JSON.stringify(setting));
  assert.equal(new Set(settings).size, 100);
});

test('rungs are powers of the factor, and their epochs add up', () => {
  const halving = { factor: 4, minEpochs: 1 };
  assert.deepEqual(rungEpochs(halving, 16), [1, 4, 16]);
  assert.deepEqual(rungEpochs({ factor: 3, minEpochs: 2 }, 20), [2, 6, 18, 20]);
  assert.deepEqual(rungEpochs(null, 20), [20]);
  const sixteen = new Array<number>(64).fill(16);
  assert.equal(plannedEpochs(sixteen, { halving, repeats: 1 }), 64 + 16 * 3 + 4 * 12);
  assert.equal(plannedEpochs([5, 7], { halving: null, repeats: 3 }), 36);
  assert.equal(trialsWithin(100, sixteen, { halving, repeats: 1 }), 43);
  assert.equal(trialsWithin(35, [5, 7, 9], { halving: null, repeats: 2 }), 2);
});

test('the ends of a range are its limits, or the first and the last value of its steps', () => {
  assert.deepEqual(rangeEnds({ path, min: 1, max: 10 }), { min: 1, max: 10 });
  assert.deepEqual(rangeEnds({ path, min: 1, max: 10, step: 4 }), { min: 1, max: 9 });
  assert.deepEqual(rangeEnds({ path, min: 0, max: 0.3, step: 0.1 }), { min: 0, max: 0.3 });
});

test('a range with a step on a logarithmic scale has the steps next to its random values, and none beyond its end', () => {
  const range: Variation = { path, min: 100, max: 1000, scale: 'log' };
  for (let seed = 0; seed < 20; seed++) {
    const [[value], [step]] = [[range], [{ ...range, step: 3 }]].map(
      (vary) => propose(vary, random(1), seed)[0]!,
    ) as [[number], [number]];
    assert.equal(step, 100 + 3 * Math.round((value - 100) / 3));
  }
  // 118 is next to 120, which is beyond the end.
  const short: Variation = { path, min: 100, max: 118, scale: 'log', step: 10 };
  const found = Array.from({ length: 20 }, (_, seed) => propose([short], random(1), seed)[0]![0]);
  assert.deepEqual([...new Set(found)].sort(), [100, 110]);
});
