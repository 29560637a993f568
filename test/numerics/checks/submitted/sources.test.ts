import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type GradientTask,
  listSources,
  sourceCount,
} from '../../../../src/numerics/checks/submitted/sources.ts';
import { parameterCount } from '../../../../src/numerics/network/architecture.ts';
import { initialize } from '../../../../src/numerics/network/initialize.ts';
import { createReferenceEngine } from '../../../../src/numerics/reference/reference-engine.ts';
import type { Examples } from '../../../../src/numerics/training/engine.ts';
import { dense } from '../../../support/dense.ts';
import { assertNear, at, firstIndices, reluNetwork, settingsOf, stripes } from '../../fixtures.ts';

const architecture = dense([6, 5, 3, 4]);
const examples = stripes(8, 6, 4);
const parameters = Float64Array.from(initialize('he', architecture, 3));
const task: GradientTask = {
  ...reluNetwork(architecture),
  parameters,
  examples,
  indices: firstIndices(8),
};

function gradientOf(changed: Examples = examples): Float64Array {
  const gradient = new Float64Array(parameterCount(architecture));
  const engine = createReferenceEngine(settingsOf(architecture), parameters);
  engine.gradient(gradient, changed, task.indices, at(0));
  return gradient;
}
const right = gradientOf();
const sourcesOf = (given: Float64Array) => [...listSources(task, right, given, [1, 8], { left: 1e6 })];

test('sources of a gradient whose labels are right have only derivatives missing', () => {
  const sources = sourcesOf(right);
  assert.deepEqual(
    sources.map(({ kind }) => kind),
    [null, 'missing-activation-mask', 'missing-activation-mask', 'missing-activation-mask'],
  );
  assert.deepEqual(
    sources.map(({ clauses }) => clauses[0]?.match(/^the error of (.*) is not/)?.[1]),
    [undefined, 'hidden layer 1', 'hidden layer 2', 'each hidden layer'],
  );
  assertNear(sources[0]!.gradient, right, 0, 'right');
});

test('labels are found of which only two classes are swapped, also in sums of the wrong sign', () => {
  const swapped = gradientOf({ ...examples, labels: examples.labels.map((k) => [1, 0, 2, 3][k]!) });
  for (const factor of [1, -8]) {
    const sources = sourcesOf(swapped.map((value) => factor * value));
    const [found, unmasked] = sources.slice(4);
    // Two more are computed to find the labels.
    assert.deepEqual([sources.length + 2, sourceCount(architecture)], [8, 8]);
    assert.equal(found!.kind, 'permuted-classes');
    assert.deepEqual(found!.clauses, [
      'the labels are permuted: class 0 is taken for 1, class 1 is taken for 0',
    ]);
    assertNear(found!.gradient, swapped, 1e-12, 'swapped');
    assert.equal(unmasked!.clauses.length, 2);
  }
});
