import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  createKernelEngine,
  type KernelEngine,
  type KernelOptions,
} from '../../../src/numerics/simd/kernel-engine.ts';
import type { EngineSettings } from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';
import { firstIndices } from '../fixtures.ts';
import {
  at,
  CHANNELS,
  CONVOLUTIONAL,
  examplesFor,
  kernelModule,
  parametersOf,
  SGD,
  settingsOf,
  teachersOf,
  UNCHANGED,
} from './cases.ts';

/** Each runs the kernels of one test after another. */
const workers = Array.from({ length: 3 }, () => new Worker(new URL('kernel-thread.ts', import.meta.url)));
after(() => Promise.all(workers.map((worker) => worker.terminate())));

const ALL_KNOBS: Partial<EngineSettings> = {
  dropout: 0.2,
  labelSmoothing: 0.05,
  l1: 1e-4,
  l2: 1e-4,
  clipNorm: 0.5,
  ema: { decay: 0.9 },
  standardization: { mean: 0.3, std: 0.4 },
  optimizer: { type: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.01 },
};
const CASES: Record<string, Partial<EngineSettings>> = {
  'plain descent': { architecture: dense([784, 40, 10]), batchSize: 64 },
  'plain descent on standardized pixels': {
    architecture: dense([100, 30, 4]),
    batchSize: 50,
    standardization: { mean: 0.3, std: 0.4 },
  },
  momentum: {
    architecture: dense([90, 70, 50, 5]),
    batchSize: 150,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
  },
  'plain descent, averaged': { architecture: dense([90, 70, 50, 5]), batchSize: 150, ema: { decay: 0.3 } },
  'all knobs': { architecture: dense([33, 21, 18, 3]), batchSize: 20, ...ALL_KNOBS },
  augmentation: {
    architecture: dense([784, 20, 10]),
    batchSize: 30,
    augmentation: { ...UNCHANGED, horizontalFlip: true, shift: 2, noise: 0.1, erase: 0.5 },
  },
  'augmented colour images, standardized by channel': {
    architecture: dense([297, 70, 10], [11, 9, 3]),
    batchSize: 30,
    standardization: CHANNELS,
    augmentation: { horizontalFlip: true, shift: 2, rotation: 30, scale: 0.3, noise: 0.1, erase: 0.5 },
  },
  distillation: { architecture: dense([90, 70, 50, 5]), batchSize: 150, distillation: teachersOf(5, 0.5) },
  mixup: { architecture: dense([90, 70, 50, 5]), batchSize: 150, mixup: { alpha: 1 } },
  'mixup of augmented images': {
    architecture: dense([784, 20, 10]),
    batchSize: 30,
    augmentation: { ...UNCHANGED, horizontalFlip: true, shift: 2, noise: 0, erase: 0.5 },
    mixup: { alpha: 0.4 },
  },
  ...CONVOLUTIONAL,
};

/** Runs six steps, including a short batch and one that measures the norm, and returns all resulting state. */
function train(engine: KernelEngine, settings: EngineSettings, examples = shared(settings)) {
  const sums = { loss: 0, correct: 0 };
  const losses: number[] = [];
  for (let step = 0; step < 6; step++) {
    const size = step === 3 ? Math.ceil(settings.batchSize / 3) : settings.batchSize;
    const batch = firstIndices(size).map((i) => i + step);
    const position = at({ start: 100 * step, measureNorm: step === 4, learningRate: 0.05 });
    engine.step(examples, batch, position, sums);
    losses.push(sums.loss, sums.correct);
  }
  return { losses, norm: engine.gradientNorm(), state: engine.exportState() };
}

function shared(settings: EngineSettings) {
  const { pixels, labels } = examplesFor(settings, settings.batchSize + 6);
  const bytes = new Uint8Array(new SharedArrayBuffer(pixels.length));
  bytes.set(pixels);
  return { pixels: bytes, labels };
}

function create(settings: EngineSettings, options: KernelOptions): KernelEngine {
  return createKernelEngine(kernelModule, settings, parametersOf(settings.architecture), options);
}

/** A difference is not printed, because comparing tens of thousands of numbers for the message takes minutes. */
function assertSameBits(actual: unknown, expected: unknown): void {
  assert.ok(isDeepStrictEqual(actual, expected), 'the results differ');
}

for (const [name, changes] of Object.entries(CASES)) {
  const settings = settingsOf(changes);
  const expected = train(create(settings, {}), settings);

  test(`skipping zeros changes no bit: ${name}`, () => {
    assertSameBits(train(create(settings, { dense: true }), settings), expected);
  });

  test(`pairs of pixels change no bit: ${name}`, () => {
    assertSameBits(train(create(settings, { wide: true }), settings), expected);
  });

  for (const threads of [2, 3, 4]) {
    test(`${threads} threads change no bit: ${name}`, async () => {
      const examples = shared(settings);
      const engine = create(settings, { threads });
      const ends = workers.slice(0, threads - 1).map((worker, r) => {
        worker.postMessage({ handle: engine.createHandle(examples.pixels), rank: r + 1 });
        return once(worker, 'message');
      });
      assertSameBits(train(engine, settings, examples), expected);
      const others = shared(settings);
      assert.equal(train(engine, settings, others).losses.length, 12, 'pixels that no other thread has seen');
      engine.shutdown();
      assert.deepEqual(await Promise.all(ends), new Array(threads - 1).fill(['ended']));
    });
  }

  test(`a restored state continues bit for bit: ${name}`, () => {
    const first = create(settings, {});
    train(first, settings);
    const second = createKernelEngine(kernelModule, settings, new Float64Array(first.parameters.length));
    second.importState(first.exportState());
    assert.deepEqual(second.exportState(), first.exportState());
    assert.equal(second.gradientNorm(), first.gradientNorm());
    assert.deepEqual(train(second, settings), train(first, settings));
  });
}

// Every number of pairs of vectors, panels of two halves, two panels; odd batches; an odd number of pixels in the last block.
for (const units of [1, 8, 13, 16, 21, 24, 32, 40, 48, 88, 96, 101]) {
  for (const [inputs, batchSize, standardization] of [
    [97, 7, null],
    [64, 131, null],
    [32, 1, null],
    [192, 71, CHANNELS],
    [243, 6, CHANNELS],
  ] as const) {
    const standardized = standardization ? ', standardized by channel' : '';
    test(`pairs of pixels change no bit: ${inputs} pixels, ${units} units, batch ${batchSize}${standardized}`, () => {
      const settings = settingsOf({ architecture: dense([inputs, units, 3]), batchSize, standardization });
      const wide = create(settings, { wide: true });
      assertSameBits(train(wide, settings), train(create(settings, {}), settings));
    });
  }
}

// Tiles of pixels, blocks of rows, panels and batches that are whole and that are not.
for (const [inputs, units, batchSize, standardization] of [
  [384, 96, 128, null],
  [420, 101, 131, CHANNELS],
  [193, 21, 7, { mean: 0.3, std: 0.4 }],
] as const) {
  test(`pixels of which none is zero change no bit: ${inputs} pixels, ${units} units, batch ${batchSize}`, () => {
    const settings = settingsOf({ architecture: dense([inputs, units, 3]), batchSize, standardization });
    const examples = shared(settings);
    for (let i = 0; i < examples.pixels.length; i++) examples.pixels[i]! |= 1;
    const [wide, narrow] = [{ wide: true }, {}].map((options) =>
      train(create(settings, options), settings, examples),
    );
    assertSameBits(wide, narrow);
  });
}

for (const l2 of [0, 9]) {
  test(`pairs of pixels change no bit of weights that are −0 or underflow to it, l2 ${l2}`, () => {
    const settings = settingsOf({ architecture: dense([64, 40, 3]), batchSize: 9, l2 });
    const examples = shared(settings);
    // The second pixel of each pair stays zero.
    for (let i = 1; i < examples.pixels.length; i += 2) examples.pixels[i] = 0;
    const tiny = parametersOf(settings.architecture).map((w, i) => (i % 4 === 1 ? -0 : w * 2 ** -148));
    const [wide, narrow] = [{ wide: true }, {}].map((options) =>
      train(createKernelEngine(kernelModule, settings, tiny, options), settings, examples),
    );
    assertSameBits(wide, narrow);
  });
}

test('rejects a state with an average only if the engine has one, and vice versa', () => {
  const [averaged, plain] = [{ ema: { decay: 0.9 } }, {}].map((changes) => create(settingsOf(changes), {}));
  assert.throws(() => averaged!.importState(plain!.exportState()), /has an average .* without one/);
  assert.throws(() => plain!.importState(averaged!.exportState()), /has no average .* with one/);
});

test('an average keeps its own vector, from which the steps do not continue', () => {
  const settings = settingsOf({ ema: { decay: 0.9 } });
  const [averaged, plain] = [settings, settingsOf({})].map((each) => create(each, {}));
  const { losses } = train(averaged!, settings);
  assert.deepEqual(losses, train(plain!, settings).losses);
  const { parameters, average } = averaged!.exportState();
  assert.deepEqual([parameters, average], [plain!.parameters, averaged!.parameters]);
  assert.notDeepEqual(average, parameters);
});

test('rejects the state of another optimizer', () => {
  const momentum = { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
  const other = create(settingsOf({ optimizer: momentum }), {}).exportState();
  assert.throws(() => create(settingsOf({}), {}).importState(other), /keeps 0 moments, not 1/);
});

test('rejects a state of another length before copying any of it', () => {
  const engine = create(settingsOf({ optimizer: { ...SGD, momentum: 0.9 } }), {});
  const state = engine.exportState();
  const zeros = { ...state, parameters: state.parameters.map(() => 0) };
  const refusal = { name: 'RangeError', message: /122 parameters, not 3/ };
  assert.throws(() => engine.importState({ ...zeros, parameters: new Float32Array(3) }), refusal);
  assert.throws(() => engine.importState({ ...zeros, moments: [new Float32Array(3)] }), refusal);
  assert.deepEqual(engine.exportState(), state);
});

test('padding units and classes change no bit', () => {
  // The same network twice: with 5 units, and with three more units without inputs and outputs.
  const narrow = settingsOf({ architecture: dense([13, 5, 3]) });
  const wide = settingsOf({ architecture: dense([13, 8, 3]) });
  const small = parametersOf(narrow.architecture);
  const large = new Float64Array(13 * 8 + 8 + 8 * 3 + 3);
  large.set(small.subarray(0, 65));
  large.set(small.subarray(65, 70), 104);
  for (let k = 0; k < 3; k++) large.set(small.subarray(70 + 5 * k, 75 + 5 * k), 112 + 8 * k);
  large.set(small.subarray(85), 136);
  const examples = examplesFor(narrow, 10);
  const sums = [
    { loss: 0, correct: 0 },
    { loss: 0, correct: 0 },
  ] as const;
  const engines = [
    createKernelEngine(kernelModule, narrow, small),
    createKernelEngine(kernelModule, wide, large),
  ] as const;
  for (const [i, engine] of engines.entries()) engine.step(examples, firstIndices(10), at(), sums[i]!);
  const [a, b] = [engines[0].parameters, engines[1].parameters];
  assert.deepEqual(sums[0], sums[1]);
  assert.deepEqual(a.slice(0, 65), b.slice(0, 65));
  assert.deepEqual(a.slice(85), b.slice(136));
});
