import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineDifference, selfCheck } from '../../../src/numerics/checks/kernel.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { blocks } from '../../../src/numerics/network/architecture.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import type { CreateEngine, EngineSettings } from '../../../src/numerics/training/engine.ts';
import { createKernelEngine } from '../../../src/workers/kernel/compile.ts';
import { dense } from '../../support/dense.ts';
import { firstIndices, settingsOf, stripes } from '../fixtures.ts';

const architecture = dense([784, 7, 10]);
const examples = stripes(9, 784, 10);
const parameters = initialize('he', architecture, 4);

function differenceOf(createEngine: CreateEngine): number {
  return engineDifference(createEngine, settingsOf(architecture), parameters, examples, firstIndices(9));
}

/** The kernel with a changed gradient. */
function sabotaged(change: (gradient: { [index: number]: number }) => void): CreateEngine {
  return (settings, initial) => {
    const engine = createKernelEngine(settings, initial);
    return {
      ...engine,
      gradient(out, ...rest) {
        engine.gradient(out, ...rest);
        change(out);
      },
    };
  };
}

/** Notes what the engine was given, and computes as `create`. */
function noted(create: CreateEngine) {
  const given: { settings: EngineSettings; parameters: unknown; labels: number[]; zeros: number }[] = [];
  const createEngine: CreateEngine = (settings, initial) => {
    const engine = create(settings, initial);
    return {
      ...engine,
      gradient(out, each, ...rest) {
        const zeros = each.pixels.filter((value) => value === 0).length / each.pixels.length;
        given.push({ settings, parameters: initial, labels: [...each.labels], zeros });
        engine.gradient(out, each, ...rest);
      },
    };
  };
  return { given, createEngine };
}

test('the kernel differs from the reference by rounding only, for every activation', () => {
  const difference = selfCheck(createKernelEngine);
  assert.ok(difference > 0 && difference <= 1e-5, String(difference));
  assert.ok(differenceOf(createKernelEngine) <= 1e-5);
});

test('the self-check has a network of every activation, of colour images and of convolutions', () => {
  const { given, createEngine } = noted(createKernelEngine);
  selfCheck(createEngine);
  const settings = given.map((each) => each.settings);
  assert.deepEqual(new Set(settings.map(({ activation }) => activation)), new Set(ACTIVATIONS));
  const architectures = settings.map((each) => each.architecture);
  assert.ok(architectures.some(({ inputShape }) => inputShape[2] === 3));
  assert.ok(architectures.some(({ convolutions }) => convolutions.length > 0));
  // The images have all classes in turn, and half of their pixels are zero.
  const grey = given.find(({ labels }) => labels.length === 19)!;
  assert.deepEqual(
    grey.labels,
    Array.from({ length: 19 }, (_, n) => (n % 10 === 0 ? 1 : 0)),
  );
  for (const { zeros } of given) assert.ok(zeros > 0.45 && zeros < 0.55, String(zeros));
});

test('the reference differs from itself only by rounding its result to float32', () => {
  const difference = differenceOf(createReferenceEngine);
  assert.ok(difference > 0 && difference <= 2 ** -24, String(difference));
});

test('detects and measures a gradient that is too large in a single block', () => {
  for (const { name, start, end } of blocks(architecture)) {
    const longer = sabotaged((gradient) => {
      for (let i = start; i < end; i++) gradient[i]! *= 1.01;
    });
    const found = differenceOf(longer);
    assert.ok(Math.abs(found - 0.01) < 1e-4, `${name}: ${found}`);
  }
});

test('detects a single wrong number in a bias', () => {
  const { start } = blocks(architecture).find(({ name }) => name === 'b2')!;
  const found = differenceOf(
    sabotaged((gradient) => {
      gradient[start]! += 1e-3;
    }),
  );
  assert.ok(found > 1e-4, String(found));
});

test('an engine with a NaN gradient does not pass', () => {
  const broken = sabotaged((gradient) => {
    gradient[3] = Number.NaN;
  });
  assert.ok(!(differenceOf(broken) <= 1e-4));
  assert.ok(!(selfCheck(broken) <= 1e-4));
});

test('the check of each thread at start detects every error', () => {
  const longer = sabotaged((gradient) => {
    for (let i = 0; i < 10; i++) gradient[i]! *= 1.01;
  });
  assert.ok(selfCheck(longer) > 1e-5);
});

test('the engine gets rounded parameters, other labels, half of the weight of teachers and no moments', () => {
  const { given, createEngine } = noted(createReferenceEngine);
  const distillation = { weight: 0.8, targets: new Float32Array(90).fill(0.1) };
  const optimizer = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
  for (const teachers of [distillation, null]) {
    const settings = {
      ...settingsOf(architecture),
      optimizer: optimizer as unknown as EngineSettings['optimizer'],
      distillation: teachers,
    };
    engineDifference(createEngine, settings, parameters, examples, firstIndices(9));
  }
  assert.deepEqual(given[0]!.labels, [1, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(given[0]!.parameters, Float32Array.from(parameters));
  assert.deepEqual(
    given.map(({ settings }) => settings.distillation?.weight),
    [0.4, undefined],
  );
  for (const { settings } of given) assert.deepEqual(settings.optimizer, settingsOf(architecture).optimizer);
});

test('a block whose gradient is zero in both does not differ', () => {
  const zeros = new Float32Array(parameters.length);
  const found = engineDifference(
    createReferenceEngine,
    settingsOf(architecture),
    zeros,
    examples,
    firstIndices(9),
  );
  assert.ok(found <= 2 ** -24, String(found));
});
