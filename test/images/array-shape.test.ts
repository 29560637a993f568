import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLayout, listForms, toChannelsLast } from '../../src/images/array-shape.ts';

test('an array holds images flat, as rows, with channels last, or with channels first', () => {
  const [grey, colour] = [[8, 9] as const, [8, 9, 3] as const];
  for (const [shape, image, single, layout] of [
    [[5, 72], grey, false, { count: 5, isPlanar: false }],
    [[5, 8, 9], grey, false, { count: 5, isPlanar: false }],
    [[5, 8, 9, 1], grey, false, { count: 5, isPlanar: false }],
    [[5, 1, 8, 9], grey, false, { count: 5, isPlanar: false }],
    [[5, 216], colour, false, { count: 5, isPlanar: false }],
    [[5, 8, 9, 3], colour, false, { count: 5, isPlanar: false }],
    [[5, 3, 8, 9], colour, false, { count: 5, isPlanar: true }],
    [[1, 72], grey, false, { count: 1, isPlanar: false }],
    [[0, 72], grey, false, undefined],
    [[5, 9, 8], grey, false, undefined],
    [[5, 8, 9], colour, false, undefined],
    [[72], grey, false, undefined],
    [[72], grey, true, { count: 1, isPlanar: false }],
    [[8, 9], grey, true, { count: 1, isPlanar: false }],
    [[3, 8, 9], colour, true, { count: 1, isPlanar: true }],
    [[8, 9, 3], colour, true, { count: 1, isPlanar: false }],
    [[5, 72], grey, true, { count: 5, isPlanar: false }],
  ] as const)
    assert.deepEqual(findLayout(shape, image, single), layout, `(${shape.join()}) of ${image.join()}`);
});

test('an array of three grey images is not one of planes', () => {
  assert.deepEqual(findLayout([3, 8, 9], [8, 9], true), { count: 3, isPlanar: false });
});

test('messages list the allowed shapes', () => {
  assert.equal(listForms([8, 9], false), '(n, 8, 9), (n, 72), (n, 8, 9, 1), (n, 1, 8, 9)');
  assert.equal(
    listForms([8, 9, 3], true),
    '(216), (8, 9, 3), (3, 8, 9), (n, 216), (n, 8, 9, 3), (n, 3, 8, 9)',
  );
});

test('planes of several images become pixels, in bytes or floats', () => {
  const planes = [1, 2, 11, 12, 21, 22, 3, 4, 13, 14, 23, 24];
  const pixels = [1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24];
  for (const type of [Uint8Array, Float32Array])
    assert.deepEqual(toChannelsLast(type.from(planes), { isPlanar: true }, [1, 2, 3]), type.from(pixels));
  const bytes = Uint8Array.from(planes);
  assert.equal(toChannelsLast(bytes, { isPlanar: false }, [1, 2, 3]), bytes);
});
