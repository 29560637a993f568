import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type GradientCheckPlan,
  type GradientCheckReport,
  gradientCheck,
} from '../../../src/numerics/checks/gradient.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { architectureText, blocks } from '../../../src/numerics/network/architecture.ts';
import { initializeUniformFanIn } from '../../../src/numerics/network/initialize.ts';
import { dense } from '../../support/dense.ts';
import { assertBlocksNear, firstIndices, norm, reluNetwork, scipyFixture, stripes } from '../fixtures.ts';

const fixture = scipyFixture();
const notebook: GradientCheckPlan = {
  ...reluNetwork(dense(fixture.sizes)),
  parameters: fixture.parameters,
  examples: fixture.examples,
  indices: firstIndices(5),
  scheme: 'central',
  coordinates: 'all',
  seed: 0,
};
const deepArchitecture = dense([12, 9, 8, 7, 4]);
const deep: GradientCheckPlan = {
  ...notebook,
  architecture: deepArchitecture,
  parameters: initializeUniformFanIn(deepArchitecture, 1),
  examples: stripes(8, 12, 4),
  indices: firstIndices(8),
};

function check(plan: GradientCheckPlan): GradientCheckReport {
  const steps = gradientCheck(plan);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function failing({ blocks: reports }: GradientCheckReport): string[] {
  return reports.filter(({ passed }) => !passed).map(({ name }) => name);
}

test('central differences confirm all 31,810 coordinates of the notebook network', () => {
  const report = check(notebook);
  assert.equal(report.passed, true);
  assert.equal(report.reason, null);
  assert.equal(report.advice, null);
  assert.equal(report.coordinates, 31_810);
  assert.equal(report.kinks, 0);
  assert.ok(report.error < 1e-8, `${report.error}`);
  assert.ok(Math.abs(report.loss - fixture.loss) < 1e-12);
  assert.deepEqual(
    report.blocks.map(({ name, shape }) => [name, ...shape].join(' ')),
    ['W1 40 784', 'b1 40', 'W2 10 40', 'b2 10'],
  );
  for (const block of report.blocks) assert.ok(block.passed && block.allclose);
  const squares = report.blocks.reduce((sum, block) => sum + block.error ** 2, 0);
  assert.ok(Math.abs(Math.sqrt(squares) - report.error) < 1e-15);
});

test('forward differences agree with SciPy: the norm within a factor of two, the vectors in every coordinate', () => {
  const report = check({ ...notebook, scheme: 'forward' });
  const ratio = report.error / fixture.checkGrad;
  assert.ok(ratio > 0.5 && ratio < 2, `${report.error} where SciPy has ${fixture.checkGrad}`);
  assert.equal(report.passed, true);
  assertBlocksNear(report.analytic, fixture.analytic, dense(fixture.sizes), 1e-12);
  for (const [i, derivative] of report.numeric.entries()) {
    assert.ok(Math.abs(derivative - fixture.numeric[i]!) <= 1e-6, `coordinate ${i}`);
  }
});

test("the notebook's gradient, with W blocks summed instead of averaged, fails in exactly the W blocks", () => {
  const gradient = fixture.analytic.slice();
  for (const { name, start, end } of blocks(dense(fixture.sizes))) {
    if (name.startsWith('W')) for (let i = start; i < end; i++) gradient[i]! *= 5;
  }
  for (const scheme of ['central', 'forward'] as const) {
    const report = check({ ...notebook, scheme, gradient });
    assert.equal(report.passed, false);
    assert.equal(report.reason, 'gradient-differs');
    assert.deepEqual(failing(report), ['W1', 'W2']);
    assert.deepEqual(
      report.blocks.map(({ allclose }) => allclose),
      [false, true, false, true],
    );
    assert.ok(report.error > 1);
    const { index, analytic, numeric } = report.blocks[0]!.worst!;
    assert.equal(index.length, 2);
    assert.ok(Math.abs(analytic - 5 * numeric) < 1e-5);
  }
});

test('reports the worst coordinate by its index in the block', () => {
  const gradient = fixture.analytic.slice();
  const [W1, b1] = blocks(dense(fixture.sizes));
  gradient[W1!.start + 7 * 784 + 300]! += 0.01;
  gradient[b1!.start + 3]! -= 0.02;
  const report = check({ ...notebook, gradient });
  assert.deepEqual(failing(report), ['W1', 'b1']);
  assert.deepEqual(report.blocks[0]!.worst!.index, [7, 300]);
  assert.deepEqual(report.blocks[1]!.worst!.index, [3]);
  assert.ok(Math.abs(report.error - norm([0.01, 0.02])) < 1e-6);
});

test('reports a step far below the default as too small, but never a default step', () => {
  const tiny = check({ ...notebook, scheme: 'forward', stepSize: 1e-10 });
  assert.equal(tiny.passed, false);
  assert.equal(tiny.reason, 'step-too-small');
  assert.match(tiny.advice!, /default step/);
  assert.deepEqual(failing(tiny), []);
  assert.ok(tiny.error > 1e-4 && tiny.error < 1e-2);
});

test('reports a step that vanishes beside a large weight as too small', () => {
  const parameters = fixture.parameters.slice();
  parameters[0] = 1e6;
  const plan = { ...notebook, parameters, stepSize: 1e-12, coordinates: { sample: 31_810 } };
  assert.equal(check(plan).reason, 'step-too-small');
});

test('a default step that vanishes is attributed to the parameters, without advice on the step', () => {
  const parameters = fixture.parameters.slice();
  parameters[0] = 1e13;
  for (const scheme of ['central', 'forward'] as const) {
    const { passed, reason, advice } = check({ ...notebook, parameters, scheme });
    assert.deepEqual([passed, reason], [false, 'parameters-too-large']);
    assert.match(advice!, /diverged.* lower learning rate, or use another model/);
    assert.doesNotMatch(advice!, /default step/);
  }
});

test('networks without hidden layers and deep networks pass', () => {
  const flat = {
    ...deep,
    architecture: dense([12, 4]),
    parameters: initializeUniformFanIn(dense([12, 4]), 1),
  };
  for (const plan of [flat, deep]) {
    for (const scheme of ['central', 'forward'] as const) {
      const report = check({ ...plan, scheme });
      assert.equal(report.passed, true, `${architectureText(plan.architecture)} ${scheme}: ${report.reason}`);
    }
  }
});

test('a gradient wrong in one deep block fails in that block', () => {
  const gradient = check(deep).analytic;
  const W3 = blocks(deepArchitecture)[4]!;
  for (let i = W3.start; i < W3.end; i++) gradient[i]! *= 1.001;
  assert.deepEqual(failing(check({ ...deep, gradient })), ['W3']);
});

/** 1 pixel, 1 hidden unit, 2 classes: z1 = 1 · 1 + bias, so that the bias decides how far the kink is. */
function oneUnit(bias: number): GradientCheckPlan {
  return {
    ...notebook,
    architecture: dense([1, 1, 2]),
    parameters: Float64Array.of(1, bias, 3, -3, 0, 0),
    examples: { pixels: Uint8Array.of(255), labels: Uint8Array.of(1) },
    indices: firstIndices(1),
  };
}

test('a step across a kink is counted and excluded from everything but the error', () => {
  const report = check(oneUnit(-1 + 4e-6));
  assert.equal(report.kinks, 2);
  const [W1, b1, W2, b2] = report.blocks;
  for (const block of [W1!, b1!]) {
    assert.equal(block.kinks, 1);
    assert.equal(block.relativeError, 0);
    assert.equal(block.allclose, true);
    assert.equal(block.worst, null);
    assert.equal(block.passed, true);
    assert.ok(block.error > 0.1);
  }
  assert.ok(W2!.worst !== null && W2!.kinks === 0 && b2!.kinks === 0);
  assert.ok(report.error > 0.1 && report.relativeError < 1e-6);
  assert.equal(report.reason, 'too-many-kinks');
  assert.equal(report.passed, false);
});

test('a kink just out of reach is not counted, a kink exactly at the parameter is', () => {
  assert.equal(check(oneUnit(-1 + 1.01e-5)).kinks, 0);
  assert.equal(check(oneUnit(-1 + 1.01e-5)).passed, true);
  assert.equal(check(oneUnit(-1)).kinks, 2);
  assert.equal(check(oneUnit(-1 - 1.01e-5)).kinks, 0);
});

test('detects kinks in layers above the moved parameter', () => {
  // z1 = 1, z2 = z1 − 1 + 4e-6: every step of layer 1 carries layer 2 across the kink.
  const report = check({
    ...oneUnit(0),
    architecture: dense([1, 1, 1, 2]),
    parameters: Float64Array.of(1, 0, 1, -1 + 4e-6, 3, -3, 0, 0),
  });
  assert.deepEqual(
    report.blocks.map(({ kinks }) => kinks),
    [1, 1, 1, 1, 0, 0],
  );
});

test('dead units and very confident models pass at the default step', () => {
  const dead = fixture.parameters.slice();
  const [, b1] = blocks(dense(fixture.sizes));
  dead.fill(-100, b1!.start, b1!.end);
  const confident = fixture.parameters.slice();
  // The bias of the first image's class: its probability becomes 1 − e⁻⁶⁰.
  confident[confident.length - 10 + fixture.examples.labels[0]!]! += 60;
  for (const scheme of ['central', 'forward'] as const) {
    assert.equal(check({ ...notebook, scheme, parameters: dead }).passed, true, `dead, ${scheme}`);
    const one = { ...notebook, scheme, parameters: confident, indices: firstIndices(1) };
    assert.equal(check(one).passed, true, `confident, ${scheme}`);
  }
});

test('a sample checks the requested number of coordinates and agrees with the full check', () => {
  const full = check(notebook);
  const sampled = check({ ...notebook, coordinates: { sample: 500 }, seed: 8 });
  assert.equal(sampled.coordinates, 500);
  assert.equal(
    sampled.blocks.reduce((sum, block) => sum + block.coordinates, 0),
    500,
  );
  assert.equal(sampled.passed, true);
  for (const [i, position] of sampled.positions.entries()) {
    assert.equal(sampled.analytic[i], full.analytic[position]);
    assert.equal(sampled.numeric[i], full.numeric[position]);
  }
});

test('float32 parameters are checked in float64', () => {
  const rounded = Float32Array.from(fixture.parameters);
  const plan = { ...notebook, coordinates: { sample: 300 } };
  assert.deepEqual(
    check({ ...plan, parameters: rounded }),
    check({ ...plan, parameters: Float64Array.from(rounded) }),
  );
});

test('a check yields every few hundred coordinates and does not modify its plan', () => {
  const before = fixture.parameters.slice();
  const steps = gradientCheck(notebook);
  let last = -1;
  for (let result = steps.next(); !result.done; result = steps.next()) {
    assert.ok(result.value.done - last <= 256);
    last = result.value.done;
  }
  assert.ok(last > 31_810 - 257);
  assert.deepEqual(fixture.parameters, before);
});

test('rejects inconsistent plans', () => {
  const start = (changes: Partial<GradientCheckPlan>) => () =>
    gradientCheck({ ...notebook, ...changes }).next();
  assert.throws(start({ indices: firstIndices(0) }), /at least one example/);
  assert.throws(start({ indices: Uint32Array.of(5) }), /Example 5 does not exist; there are 5/);
  assert.throws(start({ stepSize: 0 }), /larger than zero, not 0/);
  assert.throws(start({ gradient: new Float64Array(3) }), /must have 31810 numbers, not 3/);
  assert.throws(start({ parameters: new Float64Array(3) }), /has 31810 parameters, not 3/);
});

for (const activation of ACTIVATIONS) {
  for (const standardization of [null, { mean: 0.29, std: 0.35 }]) {
    const network = { architecture: deepArchitecture, activation, standardization };
    const name = `${activation}${standardization === null ? '' : ', standardized pixels'}`;

    test(`the gradient of each activation passes and any other gradient fails: ${name}`, () => {
      for (const scheme of ['central', 'forward'] as const) {
        const report = check({ ...deep, ...network, scheme });
        assert.equal(report.passed, true, `${scheme}: ${report.reason}`);
      }
      const other = activation === 'tanh' ? 'sigmoid' : 'tanh';
      const { analytic } = check({ ...deep, ...network, activation: other });
      assert.equal(check({ ...deep, ...network, gradient: analytic }).reason, 'gradient-differs');
    });
  }
}

test('counts kinks of leaky ReLU, but never of a smooth activation', () => {
  const plan = oneUnit(-1 + 4e-6);
  assert.equal(check({ ...plan, activation: 'leaky-relu' }).kinks, 2);
  for (const activation of ['tanh', 'sigmoid', 'identity', 'silu'] as const) {
    const report = check({ ...plan, activation });
    assert.equal(report.kinks, 0);
    assert.equal(report.passed, true);
  }
});
