import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  evaluate,
  evaluateByEngine,
  inspectByEngine,
  inspectNetwork,
  weightNorm,
} from '../../../src/numerics/evaluation/measure.ts';
import { type Architecture, blocks, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { initializeUniformFanIn } from '../../../src/numerics/network/initialize.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, examplesOf, firstIndices, networks, reluNetwork, stripes } from '../fixtures.ts';

/** Drives a generator to its result, counting its pauses. */
function run<T>(generator: Generator<unknown, T, void>): { result: T; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = generator.next();
    if (done) return { result: value, pauses };
  }
}

test('loss and accuracy agree with NumPy', () => {
  for (const fixture of networks) {
    const { result } = run(
      evaluate(
        reluNetwork(dense(fixture.sizes)),
        Float64Array.from(fixture.parameters),
        examplesOf(fixture),
        firstIndices(fixture.labels.length),
      ),
    );
    assertNear([result.loss], [fixture.loss], 1e-12, fixture.name);
    assert.equal(result.accuracy, fixture.correct / fixture.labels.length);
  }
});

test('evaluates the given examples only', () => {
  const { sizes, parameters } = networks[1]!;
  const examples = examplesOf(networks[1]!);
  const one = (n: number) =>
    run(evaluate(reluNetwork(dense(sizes)), Float64Array.from(parameters), examples, Uint32Array.of(n)))
      .result.loss;
  const both = run(
    evaluate(reluNetwork(dense(sizes)), Float64Array.from(parameters), examples, Uint32Array.of(1, 4)),
  ).result.loss;
  assertNear([both], [(one(1) + one(4)) / 2], 1e-15, 'mean of two');
});

test('an evaluation yields at least every thousand images, and more often for expensive images', () => {
  const examples = stripes(2500, 9, 3);
  const pauses = (sizes: number[]) =>
    run(
      evaluate(
        reluNetwork(dense(sizes)),
        initializeUniformFanIn(dense(sizes), 0),
        examples,
        firstIndices(2500),
      ),
    ).pauses;
  assert.equal(pauses([9, 4, 3]), 3);
  assert.ok(pauses([9, 200, 300, 3]) > 3);
});

test('rejects an evaluation of no examples', () => {
  const nothing = evaluate(
    reluNetwork(dense([9, 3])),
    new Float64Array(30),
    stripes(3, 9, 3),
    firstIndices(0),
  );
  assert.throws(() => nothing.next(), /at least one example/);
});

test('a unit is dead if it is zero on every example', () => {
  // Hidden units: always on, never on, on for the second example only, exactly zero.
  const parameters = Float64Array.of(0, 0, 1, 0, 1, -1, -0.5, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
  const examples = { pixels: Uint8Array.of(0, 255), labels: Uint8Array.of(0, 1) };
  const dead = (...indices: number[]) =>
    run(inspectNetwork(reluNetwork(dense([1, 4, 2])), parameters, examples, Uint32Array.from(indices))).result
      .deadUnits;
  assert.deepEqual(dead(0), [0.75]);
  assert.deepEqual(dead(0, 1), [0.5]);
  assert.deepEqual(
    run(inspectNetwork(reluNetwork(dense([1, 2])), new Float64Array(4), examples, firstIndices(2))).result
      .deadUnits,
    [],
  );
});

test('the weight norm excludes the biases', () => {
  assert.equal(weightNorm(Float64Array.of(3, 0, 100, 4, 0, 100, 100), dense([2, 1, 2])), 5);
});

test('an evaluation reports if all examples get the same class', () => {
  // Class 1 if the pixel is lit, otherwise class 0.
  const parameters = Float64Array.of(0, 9, 1, 0);
  const examples = { pixels: Uint8Array.of(0, 0, 255), labels: Uint8Array.of(0, 1, 1) };
  const isConstant = (...indices: number[]) =>
    run(inspectNetwork(reluNetwork(dense([1, 2])), parameters, examples, Uint32Array.from(indices))).result
      .isConstant;
  assert.equal(isConstant(0, 1), true);
  assert.equal(isConstant(0, 1, 2), false);
  assert.equal(isConstant(0), false);
});

test('units with other activations than ReLU are never dead', () => {
  const examples = stripes(4, 9, 3);
  for (const activation of ['leaky-relu', 'tanh', 'sigmoid', 'identity', 'silu'] as const) {
    const network = { architecture: dense([9, 5, 3]), activation, standardization: null };
    assert.deepEqual(
      run(inspectNetwork(network, new Float64Array(68), examples, firstIndices(4))).result.deadUnits,
      [0],
    );
  }
});

test('a channel is dead if it is zero in every position of every example', () => {
  // Channels: always on, never on, on next to a lit pixel, exactly zero. The hidden units are on and off.
  const architecture: Architecture = {
    inputShape: [3, 4],
    convolutions: [[4]],
    norm: 'none',
    hidden: [2],
    classes: 2,
  };
  const parameters = new Float64Array(parameterCount(architecture));
  const [K1, c1, , b1] = blocks(architecture);
  parameters[K1!.start + 2 * 9] = 1;
  parameters.set([1, -1, -0.5, 0], c1!.start);
  parameters.set([1, -1], b1!.start);
  const pixels = new Uint8Array(24);
  pixels[12] = 255;
  const dead = (...indices: number[]) => {
    const examples = { pixels, labels: Uint8Array.of(0, 1) };
    const inspection = inspectNetwork(
      reluNetwork(architecture),
      parameters,
      examples,
      Uint32Array.from(indices),
    );
    return run(inspection).result.deadUnits;
  };
  assert.deepEqual(dead(0), [0.75, 0.5]);
  assert.deepEqual(dead(0, 1), [0.5, 0.5]);
});

test('the weight norm of a network with convolutions is the norm of kernels and weights', () => {
  const architecture: Architecture = {
    inputShape: [2, 2],
    convolutions: [[4]],
    norm: 'group',
    hidden: [],
    classes: 2,
  };
  const parameters = new Float64Array(parameterCount(architecture)).fill(100);
  for (const { name, start, end } of blocks(architecture)) {
    if (name === 'K1' || name === 'W1') parameters.fill(0, start, end);
    if (name === 'K1') parameters[start + 7] = 3;
    if (name === 'W1') parameters[start + 7] = 4;
  }
  assert.equal(weightNorm(parameters, architecture), 5);
});

test('an engine gets all examples in chunks of a thousand', () => {
  const examples = stripes(2, 4, 3);
  const indices = Uint32Array.from({ length: 2001 }, (_, n) => 7 * n);
  const chunks: Uint32Array[] = [];
  const evaluated = run(
    evaluateByEngine(
      (sums, given, chunk) => {
        assert.equal(given, examples);
        chunks.push(chunk);
        sums.loss += 2 * chunk.length;
        sums.correct += chunk.length / 2;
      },
      examples,
      indices,
    ),
  );
  assert.deepEqual(evaluated, { result: { loss: 2, accuracy: 0.5 }, pauses: 3 });
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [1000, 1000, 1],
  );
  assert.deepEqual(
    chunks.flatMap((chunk) => [...chunk]),
    [...indices],
  );
  chunks.length = 0;
  const inspected = run(
    inspectByEngine(
      ({ alive, predicted }, _, chunk) => {
        chunks.push(chunk);
        alive[0]![0] = 1;
        predicted.add(2);
      },
      dense([4, 5, 3]),
      examples,
      indices,
    ),
  );
  assert.deepEqual(inspected, { result: { deadUnits: [0.8], isConstant: true }, pauses: 3 });
  assert.deepEqual(
    chunks.flatMap((chunk) => [...chunk]),
    [...indices],
  );
});
