import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augment, planAugmentation } from '../../../src/numerics/examples/augment.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import { createAugmentImage, createDrawMasks } from '../../../src/numerics/reference/random-changes.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, at, firstIndices, settingsOf, stripes } from '../fixtures.ts';

const NOTHING = PLAIN_SETTINGS.augmentation;
const EVERYTHING = { horizontalFlip: true, shift: 3, rotation: 20, scale: 0.2, noise: 0.1, erase: 0.5 };
const SHAPE = [12, 10, 3] as const;
const VALUES = 360;

test('drops units independently with the given probability, in every layer', () => {
  const architecture = dense([9, 50, 31, 4]);
  const draw = createDrawMasks(architecture, 0.3, 7)!;
  const positions = 2000;
  const [dropped, together] = [0, 1].map(() => new Float64Array(81)) as [Float64Array, Float64Array];
  for (let position = 0; position < positions; position++) {
    const { kept, scale } = draw(3, position);
    assert.equal(scale, 1 / 0.7);
    const all = [...kept[0]!, ...kept[1]!];
    for (const [u, unit] of all.entries()) {
      if (unit === 1) continue;
      dropped[u]!++;
      if (all[(u + 1) % 81] === 0) together[u]!++;
    }
  }
  const limit = (p: number) => 5 * Math.sqrt((p * (1 - p)) / positions);
  assert.ok(dropped.every((count) => Math.abs(count / positions - 0.3) < limit(0.3)));
  assert.ok(together.every((count) => Math.abs(count / positions - 0.09) < limit(0.09)));
});

test('masks depend only on seed, epoch and position', () => {
  const copy = (draw = createDrawMasks(dense([9, 20, 4]), 0.5, 1)!, epoch = 1, position = 5) =>
    draw(epoch, position).kept.map((mask) => [...mask]);
  const draw = createDrawMasks(dense([9, 20, 4]), 0.5, 1)!;
  draw(8, 8);
  assert.deepEqual(copy(draw), copy());
  for (const other of [
    copy(createDrawMasks(dense([9, 20, 4]), 0.5, 2)!),
    copy(undefined, 2),
    copy(undefined, 1, 6),
  ]) {
    assert.notDeepEqual(other, copy());
  }
});

test('draws nothing without dropout and augmentation', () => {
  assert.equal(createDrawMasks(dense([9, 20, 4]), 0, 1), null);
  assert.equal(createAugmentImage({ ...PLAIN_SETTINGS, architecture: dense([9, 20, 4]) }), null);
});

test('drops nothing without hidden layers', () => {
  const examples = stripes(8, 9, 3);
  const gradients = [0, 0.5].map((dropout) => {
    const gradient = new Float64Array(30);
    const engine = createReferenceEngine(
      settingsOf(dense([9, 3]), { dropout }),
      initialize('he', dense([9, 3]), 0),
    );
    engine.gradient(gradient, examples, firstIndices(8), at(0));
    return gradient;
  });
  assert.deepEqual(gradients[0], gradients[1]);
});

test('dropout changes the gradient of a linear network by noise, but not on average', () => {
  const architecture = dense([9, 40, 3]);
  const examples = stripes(1, 9, 3);
  // Small weights, so that the probabilities hardly depend on what is dropped.
  const initial = initialize('glorot', architecture, 0).map((w) => w / 100);
  const gradientOf = (dropout: number, start: number) => {
    const settings = settingsOf(architecture, { dropout, activation: 'identity', seed: 4 });
    const gradient = new Float64Array(initial.length);
    createReferenceEngine(settings, initial).gradient(gradient, examples, firstIndices(1), at(0, { start }));
    return gradient;
  };
  const mean = new Float64Array(initial.length);
  for (let start = 0; start < 1500; start++) {
    for (const [i, g] of gradientOf(0.4, start).entries()) mean[i]! += g / 1500;
  }
  assertNear(mean, gradientOf(0, 0), 0.05, 'mean gradient');
});

test('augmented training equals training on images augmented beforehand', () => {
  const architecture = dense([VALUES, 6, 10], SHAPE);
  const examples = stripes(12, VALUES, 10);
  const batch = Uint32Array.of(3, 1, 11, 7);
  const augmented = new Uint8Array(12 * VALUES);
  for (const [n, row] of batch.entries()) {
    const out = augmented.subarray(row * VALUES, (row + 1) * VALUES);
    augment(out, examples.pixels, row * VALUES, planAugmentation(EVERYTHING, SHAPE)!, 9, 2, 40 + n);
  }
  const initial = initialize('he', architecture, 0);
  const before = examples.pixels.slice();
  const [changing, plain] = [EVERYTHING, NOTHING].map((augmentation) =>
    createReferenceEngine(settingsOf(architecture, { augmentation, seed: 9 }), initial),
  );
  const [sums, expected] = [
    { loss: 0, correct: 0 },
    { loss: 0, correct: 0 },
  ];
  changing!.step(examples, batch, at(0.1, { epoch: 2, start: 40 }), sums);
  plain!.step({ ...examples, pixels: augmented }, batch, at(0.1), expected);
  assert.deepEqual(sums, expected);
  assert.deepEqual(changing!.parameters, plain!.parameters);
  assert.deepEqual(examples.pixels, before, 'the examples stay as they are');
});

test('each kind of augmentation alone changes images', () => {
  const { pixels } = stripes(4, VALUES, 10);
  for (const changes of [
    { horizontalFlip: true },
    { shift: 2 },
    { rotation: 10 },
    { scale: 0.2 },
    { noise: 0.1 },
    { erase: 1 },
  ]) {
    const change = createAugmentImage({
      augmentation: { ...NOTHING, ...changes },
      architecture: dense([VALUES, 10], SHAPE),
      seed: 1,
    })!;
    const changed = [0, 1, 2, 3].some((row) =>
      change(pixels, row, 1, row).some((x, j) => x !== pixels[row * VALUES + j]),
    );
    assert.ok(changed, JSON.stringify(changes));
  }
});
