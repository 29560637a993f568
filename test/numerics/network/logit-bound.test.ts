import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Activation } from '../../../src/numerics/network/activations.ts';
import { type Architecture, NORMS } from '../../../src/numerics/network/architecture.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import type { Standardization } from '../../../src/numerics/network/layers.ts';
import { logitBound } from '../../../src/numerics/network/logit-bound.ts';
import { modelOf } from '../../formats/fixtures.ts';
import { dense } from '../../support/dense.ts';

/** Four channels of four pixels, which are one group. */
const GROUPED: Architecture = {
  inputShape: [2, 2],
  convolutions: [[4]],
  norm: 'group',
  hidden: [],
  classes: 1,
};
/** Its kernels: each channel has three times the pixel. */
const TRIPLING = Array.from({ length: 36 }, (_, i) => (i % 9 === 4 ? 3 : 0));

test('the bound is |b| + Σ |w| max |x|, layer by layer, the largest of all sums', () => {
  const network = { architecture: dense([2, 2, 1]), activation: 'relu', standardization: null } as const;
  // First layer: 1 + 2 + 3 = 6 and 0.5 + 0.5 + 0 = 1; second: 4 · 6 + 1 · 1 + 1 = 26.
  const parameters = Float64Array.of(1, -2, 0.5, 0.5, -3, 0, 4, -1, 1);
  assert.equal(logitBound(network, parameters), 26);
  assert.equal(logitBound({ ...network, activation: 'tanh' }, parameters), 6);
  // 4 · 1 + 1 · 1 + 1: sigmoid is at most 1, but 1/2 even for sums of 0.
  assert.equal(
    logitBound(
      { ...network, activation: 'sigmoid' },
      parameters.map((x, i) => (i < 6 ? 0 : x)),
    ),
    6,
  );
  // Pixels from −4 to −3: 3 · 4 + 3 = 15 and 4; 60 + 4 + 1 = 65.
  assert.equal(logitBound({ ...network, standardization: { mean: 1, std: 0.25 } }, parameters), 65);
  // Red from −4 to 0, green from −0.5 to 0.5: 4 + 2 · 0.5 + 3 = 8 and 0.5 · 4 + 0.5 · 0.5 = 2.25, so 32 + 2.25 + 1.
  const byChannel: Standardization = { mean: [1, 0.5, 0], std: [0.25, 1, 1] };
  assert.equal(logitBound({ ...network, standardization: byChannel }, parameters), 35.25);
});

test('a channel of a convolution has one bound for all positions, and values keep it when they are pooled', () => {
  const architecture: Architecture = {
    inputShape: [2, 2],
    convolutions: [[2]],
    norm: 'none',
    hidden: [],
    classes: 1,
  };
  const network = { architecture, activation: 'relu', standardization: null } as const;
  const kernels = [1, -1, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0];
  // Channels: 1 + 1 + 1 + 2 + 0.5 = 5.5 and 3 + 1 = 4; classes: 2 · 5.5 + 4 · 4 + 1 = 28.
  assert.equal(logitBound(network, Float64Array.of(...kernels, 0.5, -1, 2, -4, 1)), 28);
  const colour: Architecture = { ...architecture, inputShape: [2, 2, 3], convolutions: [[1]] };
  const planes = [0, 0, 0, 0, 1, 0, 0, 0, 0].concat([0, 0, 0, 0, 2, 0, 0, 0, 0], [0, 0, 0, 0, 4, 0, 0, 0, 0]);
  const standardization: Standardization = { mean: [1, 0, 0], std: [0.5, 0.25, 1] };
  // Red up to 2, green up to 4, blue up to 1: 2 + 8 + 4 = 14; 3 · 14 + 1 = 43.
  assert.equal(
    logitBound({ ...network, architecture: colour, standardization }, Float64Array.of(...planes, 0, 3, 1)),
    43,
  );
});

test('group normalization bounds its results, but the squares of its group may be larger', () => {
  const network = { architecture: GROUPED, activation: 'identity', standardization: null } as const;
  const parameters = Float64Array.of(...TRIPLING, 0, 0, 0, 0, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0);
  // 16 values of at most 3: 16 · 9 = 144; 2 √15 + 1 otherwise.
  assert.equal(logitBound(network, parameters), 144);
  assert.equal(
    logitBound(
      network,
      parameters.map((x, i) => (i < 36 ? x / 100 : x)),
    ),
    2 * Math.sqrt(15) + 1,
  );
});

test('a bound beyond float range is infinite, and the bound of NaN is NaN', () => {
  const network = { architecture: dense([1, 1, 1]), activation: 'identity', standardization: null } as const;
  assert.equal(logitBound(network, Float64Array.of(1e200, 0, 1e200, 0)), Number.POSITIVE_INFINITY);
  assert.ok(!(logitBound(network, Float64Array.of(Number.NaN, 0, 1, 0)) <= 1));
});

test('no logit of a network with convolutions exceeds its bound', () => {
  for (const norm of NORMS) {
    const architecture: Architecture = {
      inputShape: [28, 28],
      convolutions: [[4, 4], [8]],
      norm,
      hidden: [5],
      classes: 3,
    };
    const model = modelOf(architecture, { activation: 'relu', standardization: { mean: 0.25, std: 0.5 } });
    const logits = new Float64Array(20 * 3);
    createForward(model, model.parameters)(logits, logits.slice(), images);
    const bound = logitBound(model, model.parameters);
    assert.ok(logits.every((logit) => Math.abs(logit) <= bound));
  }
});

const images = Uint8Array.from({ length: 20 * 784 }, (_, i) => (i < 784 ? 255 : (i * 40_503) >>> 3));

for (const [activation, standardization] of [
  ['relu', null],
  ['leaky-relu', { mean: 0.25, std: 0.5 }],
  ['sigmoid', { mean: 0.9, std: 0.1 }],
  ['silu', { mean: 0.25, std: 0.5 }],
] as [Activation, Standardization | null][]) {
  test(`no logit of a ${activation} network exceeds its bound`, () => {
    const model = modelOf(dense([784, 6, 5, 3]), { activation, standardization });
    const logits = new Float64Array(20 * 3);
    createForward(model, model.parameters)(logits, logits.slice(), images);
    const bound = logitBound(model, model.parameters);
    assert.ok(logits.every((logit) => Math.abs(logit) <= bound));
  });
}

test('the activation bounds what follows group normalization, not what precedes it', () => {
  const network = { architecture: GROUPED, activation: 'tanh', standardization: null } as const;
  const norms = [2, 2, 2, 2, 1, 1, 1, 1];
  // 16 values of at most 3, not of at most tanh 3: 16 · 9 = 144. Then 4 values of at most 1: 4 · 25 + 5 = 105.
  const parameters = Float64Array.of(...TRIPLING, 0, 0, 0, 0, ...norms, 25, 25, 25, 25, 5);
  assert.equal(logitBound(network, parameters), 144);
  const wide = Float64Array.of(...TRIPLING, 0, 0, 0, 0, ...norms, 50, 50, 50, 50, 5);
  assert.equal(logitBound(network, wide), 205);
});

test('the activation bounds the results of a convolution without normalization', () => {
  const architecture: Architecture = {
    inputShape: [2, 2],
    convolutions: [[1]],
    norm: 'none',
    hidden: [],
    classes: 1,
  };
  const network = { architecture, activation: 'tanh', standardization: null } as const;
  // The sums are at most 3 and the values at most 1: 7 · 1 + 2 = 9.
  assert.equal(logitBound(network, Float64Array.of(0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 7, 2)), 9);
});
