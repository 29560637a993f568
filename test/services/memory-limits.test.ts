import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingRequestSchema } from '../../src/domain/training-job.ts';
import { AtelierError } from '../../src/errors.ts';
import { createMemoryLedger } from '../../src/services/memory-ledger.ts';
import { assertTrainingFits, reserveGradientCheck } from '../../src/services/memory-limits.ts';

const request = trainingRequestSchema.parse({ dataset: 'fashion-mnist' });
const memory = createMemoryLedger();
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
    () => assertTrainingFits(memory, request, { layerSizes: huge, datasetBytes: 0 }),
    refusal(/Training a 784-10000000-100000-10 network takes about \d+ MiB.*\d+ MiB are available/),
  );
  assert.throws(
    () => reserveGradientCheck(memory, huge, 5),
    refusal(/Checking a 784-10000000-100000-10 network takes about \d+ MiB/),
  );
});

test("accepts the notebook's network, and reserves its memory for a check", () => {
  assert.doesNotThrow(() =>
    assertTrainingFits(memory, request, { layerSizes: [784, 40, 10], datasetBytes: 0 }),
  );
  {
    using reserved = reserveGradientCheck(memory, [784, 40, 10], 1000);
    assert.equal(memory.used(), reserved.bytes);
  }
  assert.equal(memory.used(), 0);
});

test('a data set that a job must load counts', () => {
  const datasetBytes = memory.jobBudget;
  assert.throws(
    () => assertTrainingFits(memory, request, { layerSizes: [784, 40, 10], datasetBytes }),
    refusal(/Training a 784-40-10 network takes about/),
  );
});
