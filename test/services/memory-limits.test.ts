import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingRequestSchema } from '../../src/domain/training-job.ts';
import { AtelierError } from '../../src/errors.ts';
import { assertGradientCheckFitsMemory, assertTrainingFitsMemory } from '../../src/services/memory-limits.ts';

const request = trainingRequestSchema.parse({ dataset: 'fashion-mnist' });
const huge = [784, 10_000_000, 100_000, 10];

function refusal(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AtelierError && error.code === 'impossible-request');
    assert.match(error.message, message);
    assert.deepEqual(error.details, [{ pointer: '#/network/hidden', detail: 'requires too much memory' }]);
    return true;
  };
}

test('rejects a network that does not fit into memory, with its estimate', () => {
  assert.throws(
    () => assertTrainingFitsMemory(request, huge),
    refusal(/Training a 784-10000000-100000-10 network takes about \d+ MiB.*\d+ MiB are available/),
  );
  assert.throws(
    () => assertGradientCheckFitsMemory(huge, 5),
    refusal(/Checking a 784-10000000-100000-10 network takes about \d+ MiB/),
  );
});

test("accepts the notebook's network", () => {
  assert.doesNotThrow(() => assertTrainingFitsMemory(request, [784, 40, 10]));
  assert.doesNotThrow(() => assertGradientCheckFitsMemory([784, 40, 10], 1000));
});
