import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tuneProcess } from '../../src/tuning/process.ts';
import { isOn, isTechnique, switchOff, TECHNIQUES } from '../../src/tuning/switches.ts';

test('a process uses all techniques except those that are switched off', (t) => {
  t.after(() => switchOff([]));
  tuneProcess({ tuningOff: ['time-slice', 'access-line'] });
  const on = ['accept-first', 'clear-vectors', 'collect-garbage', 'start-together'];
  assert.deepEqual(TECHNIQUES.filter(isOn), on);
  assert.deepEqual(['time-slice', 'wide-vectors', ''].map(isTechnique), [true, false, false]);
});
