import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batteryResults, createTypicalStep } from '../../../../src/numerics/simd/battery/results.ts';
import { kernelModule } from '../cases.ts';

/** The results of the first case, whose network 97-3-10 has 334 parameters, for a batch of 7 of 10 images. */
const results = [...batteryResults(kernelModule, {}).take(14)];

test('a case has a gradient, the sums of four steps, a norm, the parameters, an evaluation and three predictions', () => {
  assert.deepEqual(
    results.map(({ length }) => length),
    [334, 2, 2, 2, 2, 1, 334, 2, 100, 100, 100, 100, 10, 10],
  );
  assert.ok(results[5]![0]! > 0, 'one step measures the norm');
  assert.ok(results[0]!.some((x, i) => x !== 0 && x !== results[6]![i]));
});

test('a step sums the losses of a whole batch, but the third those of half a batch', () => {
  const losses = results.slice(1, 5).map(([loss]) => loss!);
  for (const [step, images] of [7, 7, 4, 7].entries()) {
    const mean = losses[step]! / images;
    assert.ok(Math.abs(mean - Math.log(10)) < 0.2, `step ${step}: ${mean} nats`);
  }
  assert.notEqual(
    losses[0],
    losses[3],
    'the first and the fourth step have the same images, but other weights',
  );
});

test('the last prediction is that of the first image of fractions alone', () => {
  assert.deepEqual(results[12], results[10]!.slice(0, 10));
  assert.deepEqual(results[13], results[11]!.slice(0, 10));
  assert.notDeepEqual(results[10], results[8], 'fractions differ from bytes');
});

test('a typical step can be repeated', () => {
  const step = createTypicalStep(kernelModule, {});
  assert.doesNotThrow(() => [step(), step()]);
});
