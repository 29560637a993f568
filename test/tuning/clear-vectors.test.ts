import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setEnvironmentData } from 'node:worker_threads';
import { clearVectors } from '../../src/tuning/clear-vectors.ts';
import { switchOff } from '../../src/tuning/switches.ts';
import { vectorOptions } from '../../src/tuning/wide-vectors.ts';

/** As `widenVectors` does, but without its flags, which apply to the whole process. */
function declareWide(t: TestContext): void {
  t.after(() => {
    switchOff([]);
    setEnvironmentData('wide vectors', undefined);
  });
  setEnvironmentData('wide vectors', true);
}

test('clears the registers only after wide vectors, and not if that is switched off', (t) => {
  assert.deepEqual(vectorOptions(), { wide: false });
  declareWide(t);
  assert.deepEqual(vectorOptions(), { wide: true, afterCall: clearVectors });
  switchOff(['clear-vectors']);
  assert.deepEqual(vectorOptions(), { wide: true });
});
