import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createView, HEADER } from '../../../src/numerics/simd/header.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import { firstIndices } from '../fixtures.ts';
import { at, examplesFor, kernelModule, parametersOf, settingsOf } from './cases.ts';

for (const field of ['ACTIVATION', 'OPTIMIZER'] as const) {
  test(`the kernel rejects an unknown code of ${field} instead of training another network`, () => {
    const settings = settingsOf({});
    const examples = examplesFor(settings, 10);
    const engine = createKernelEngine(kernelModule, settings, parametersOf(settings.architecture));
    const sums = { loss: 0, correct: 0 };
    // A step that measures the norm calls the optimizer, instead of adding to the weights.
    const position = at({ measureNorm: true });
    engine.step(examples, firstIndices(10), position, sums);
    createView(HEADER, engine.createHandle(examples.pixels).memory.buffer)[field] = 99;
    assert.throws(() => engine.step(examples, firstIndices(10), position, sums), { message: 'unreachable' });
  });
}
