import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitTime } from '../../../src/store/database/time-limit.ts';
import { failure } from '../fixtures.ts';

test('work that hangs is given up after the time limit, and other work ends as it does', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hanging = limitTime(new Promise(() => {}), 50);
  t.mock.timers.tick(49);
  assert.equal(await Promise.race([hanging, 'not yet']), 'not yet');
  t.mock.timers.tick(1);
  await assert.rejects(hanging, failure('storage-unavailable', 'did not answer within 50 ms'));
  assert.equal(await limitTime(Promise.resolve(3), 50), 3);
  await assert.rejects(limitTime(Promise.reject(new Error('its own')), 50), /its own/);
});
