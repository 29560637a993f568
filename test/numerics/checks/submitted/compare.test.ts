/** Comparison of submitted gradients with the reference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareSubmitted } from '../../../../src/numerics/checks/submitted/compare.ts';
import { dense } from '../../../support/dense.ts';
import { firstIndices, reluNetwork, stripes } from '../../fixtures.ts';
import { convolutional, findings, relu, scale, tanh } from './fixture.ts';

const SUBJECTS = { relu, tanh, convolutional };

for (const [name, { compare, copy, architecture }] of Object.entries(SUBJECTS)) {
  test(`${name}: the gradients of NumPy and PyTorch agree, in float64 and in float32`, () => {
    const right = compare(copy('right'));
    assert.equal(right.agrees, true);
    assert.ok(right.relativeError! < 1e-12 && Math.abs(right.cosine! - 1) < 1e-12);
    const single = compare(copy('float32'));
    assert.equal(single.agrees, true);
    assert.ok(single.relativeError! > 1e-9 && single.relativeError! < 1e-5);
    for (const { blocks } of [right, single]) {
      assert.ok(blocks.every(({ hint, agrees }) => hint === null && agrees));
      assert.deepEqual(
        blocks.map((block) => block.name),
        architecture.convolutions.length > 0
          ? ['K1', 'c1', 'W1', 'b1', 'W2', 'b2']
          : architecture.hidden.length > 1
            ? ['W1', 'b1', 'W2', 'b2', 'W3', 'b3']
            : ['W1', 'b1', 'W2', 'b2'],
      );
    }
    assert.deepEqual(new Set(right.blocks.map(({ tolerance }) => tolerance)), new Set([1e-6]));
    assert.deepEqual(new Set(single.blocks.map(({ tolerance }) => tolerance)), new Set([1e-4]));
  });
}

test('names the coordinate with the largest difference, as given and as it should be', () => {
  const given = relu.change({
    W2: (numbers) => {
      numbers[7]! += 0.5;
      numbers[8]! -= 0.25;
    },
  });
  const report = relu.compare(given);
  const { agrees, relativeError, largest, hint } = report.blocks[2]!;
  assert.deepEqual([agrees, largest.index, hint], [false, [1, 1], null]);
  assert.ok(Math.abs(largest.given! - largest.right - 0.5) < 1e-12);
  const numbers = given.subarray(78, 114);
  assert.ok(Math.abs(relativeError! - Math.hypot(0.5, 0.25) / Math.hypot(...numbers)) < 1e-12);
  assert.deepEqual(findings(report), ['W2: unknown']);
  const right = relu.copy('right');
  const products = given.reduce((sum, value, i) => sum + value * right[i]!, 0);
  assert.ok(Math.abs(report.cosine! - products / (Math.hypot(...given) * Math.hypot(...right))) < 1e-12);
  assert.ok(Math.abs(report.relativeError! - Math.hypot(0.5, 0.25) / Math.hypot(...given)) < 1e-12);
});

test('an error of 1e-5 is found in float64, but not in numbers of float32', () => {
  const given = relu.change({ W1: scale(1 + 1e-5) });
  assert.deepEqual(findings(relu.compare(given)), ['W1: unknown']);
  assert.equal(relu.compare(Float64Array.from(given, Math.fround)).agrees, true);
});

test('a block of zeros is named, unless its right gradient is 0', () => {
  const report = relu.compare(relu.change({ b1: (numbers) => numbers.fill(0) }));
  assert.deepEqual(findings(report), ['b1: zero']);
  assert.match(report.blocks[1]!.hint!.sentence, /^In b1, all numbers are 0: /);
  const nothing = relu.compare(relu.copy('right').fill(0));
  assert.deepEqual([nothing.cosine, nothing.relativeError], [null, 1]);
});

test('numbers that are not finite are counted, with the place of the first, and other blocks still compared', () => {
  for (const value of [Number.NaN, Infinity, -Infinity]) {
    const report = relu.compare(
      relu.change({
        W3: (numbers) => numbers.fill(value, 7, 9),
        W1: scale(-1),
      }),
    );
    assert.deepEqual([report.agrees, report.relativeError, report.cosine], [false, null, null]);
    assert.deepEqual(findings(report), ['W1: sign', 'W3: not-finite']);
    const { largest, relativeError, hint } = report.blocks[4]!;
    assert.deepEqual([largest.index, largest.given, relativeError], [[1, 1], null, null]);
    assert.match(hint!.sentence, /^In W3, 2 numbers are not finite, the first one at \[1, 1\]\./);
  }
});

test('numbers whose squares overflow are wrong, with a finite relative error and cosine', () => {
  const right = relu.copy('right');
  for (const value of [1e154, 1e155, -1e200, 1.7e308]) {
    const one = relu.compare(
      relu.change({
        W2: (numbers) => {
          numbers[7] = value;
        },
      }),
    );
    assert.deepEqual([one.agrees, one.relativeError], [false, 1]);
    assert.ok(Math.abs(one.cosine! - (Math.sign(value) * right[85]!) / Math.hypot(...right)) < 1e-12);
    assert.deepEqual(findings(one), ['W2: unknown']);
    const { relativeError, largest } = one.blocks[2]!;
    assert.deepEqual([relativeError, largest.index, largest.given], [1, [1, 1], value]);

    const all = relu.compare(right.map(() => value));
    assert.deepEqual([all.agrees, all.relativeError], [false, 1]);
    const sum = right.reduce((a, b) => a + b, 0);
    const expected = (Math.sign(value) * sum) / (Math.sqrt(right.length) * Math.hypot(...right));
    assert.ok(Math.abs(all.cosine! - expected) < 1e-12);
    assert.ok(all.blocks.every(({ agrees, relativeError, hint }) => !agrees && relativeError === 1 && !hint));
  }
});

test('a large factor is found as others are', () => {
  for (const factor of [1e155, -1e300]) {
    const report = relu.compare(relu.copy('right').map((value) => factor * value));
    assert.deepEqual([report.agrees, report.relativeError], [false, 1]);
    assert.ok(Math.abs(report.cosine! - Math.sign(factor)) < 1e-12);
    assert.deepEqual(
      findings(report),
      ['W1', 'b1', 'W2', 'b2', 'W3', 'b3'].map((name) => `${name}: constant-factor ${factor}`),
    );
  }
});

test('NaN beside right numbers are those of a sample, others the overflow of exp', () => {
  const sampled = relu.copy('right').map((value, i) => (i % 5 === 0 ? value : Number.NaN));
  const hints = ({ blocks }: ReturnType<typeof relu.compare>) =>
    blocks.map(({ hint }) => [hint!.kind, hint!.sentence] as const);
  for (const [kind, sentence] of hints(relu.compare(sampled))) {
    assert.equal(kind, 'not-finite');
    assert.match(
      sentence,
      /The others are right: .* sample .* NaN in all others\. Request "coordinates": "all"/,
    );
  }
  const others = [
    sampled.map((value) => 2 * value),
    sampled.map((v) => (v > 0 ? v : Infinity)),
    sampled.map(() => NaN),
  ];
  for (const given of others) {
    for (const [, sentence] of hints(relu.compare(given)))
      assert.match(sentence, /exp overflows for large logits/);
  }
});

test("the notebook's own defect is named: sums in the W blocks, means in the b blocks", () => {
  const sums = { W1: scale(6), W2: scale(6), W3: scale(6) };
  const report = relu.compare(relu.change(sums));
  assert.deepEqual(findings(report), [
    'W1: constant-factor 6',
    'W2: constant-factor 6',
    'W3: constant-factor 6',
  ]);
  for (const b of [0, 2, 4]) {
    assert.match(
      report.blocks[b]!.hint!.sentence,
      /are 6 times the right ones: a sum over the 6 examples where a mean should be\. This is the defect of gradCE of the notebook/,
    );
  }
  const others = [
    relu.compare(relu.change({ ...sums, b1: scale(6) })),
    relu.compare(relu.change({ W1: scale(6) })),
  ];
  for (const { blocks } of others)
    assert.ok(blocks.every(({ hint }) => !hint?.sentence.includes('notebook')));
});

test('zeros agree with a gradient of zeros', () => {
  const task = {
    ...reluNetwork(dense([2, 2])),
    parameters: new Float64Array(6),
    examples: stripes(2, 2, 2),
    indices: firstIndices(2),
  };
  const report = compareSubmitted(new Float64Array(6), new Float64Array(6), task);
  assert.deepEqual([report.agrees, report.relativeError], [true, 0]);
  assert.deepEqual(
    report.blocks.map(({ name, agrees, relativeError, hint }) => [name, agrees, relativeError, hint]),
    [
      ['W1', true, 0, null],
      ['b1', true, 0, null],
    ],
  );
});
