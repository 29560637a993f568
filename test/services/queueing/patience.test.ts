import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPatience } from '../../../src/services/queueing/patience.ts';

test('waits three seconds for the other processes, and anew for each job', (t) => {
  let now = 10_000;
  t.mock.method(performance, 'now', () => now);
  const isPatient = createPatience();
  assert.ok(isPatient('first'));
  now += 2_999;
  assert.ok(isPatient('first'));
  now += 1;
  assert.ok(!isPatient('first'));
  assert.ok(isPatient('second'));
  now += 2_999;
  assert.ok(isPatient('second'));
  assert.ok(isPatient('first'), 'only the last job is remembered');
});
