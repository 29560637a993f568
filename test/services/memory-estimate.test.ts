import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../src/errors.ts';
import { assertTrainingFitsMemory } from '../../src/services/memory-estimate.ts';

test('a network that would not fit into memory is refused with what it would take', () => {
  assert.throws(
    () => assertTrainingFitsMemory([784, 10_000_000, 100_000, 10]),
    (error) => {
      assert.ok(error instanceof AtelierError && error.code === 'impossible-request');
      assert.match(error.message, /784-10000000-100000-10 network takes about \d+ MiB.*\d+ MiB are there/);
      assert.deepEqual(error.details, [{ pointer: '#/network/hidden', detail: 'needs too much memory' }]);
      return true;
    },
  );
});

test('the network of the notebook fits', () => {
  assert.doesNotThrow(() => assertTrainingFitsMemory([784, 40, 10]));
});
