import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTime, timestamp, timestampAfter } from '../../../src/store/database/timestamps.ts';

test('a time has milliseconds, ends with Z and exists', () => {
  assert.ok(isTime('2026-12-31T23:59:59.999Z'));
  for (const other of [
    '',
    '2026-12-31',
    '2026-12-31T23:59:59Z',
    '2026-12-31T23:59:59.999+01:00',
    '2026-13-01T00:00:00.000Z',
    ' 2026-12-31T23:59:59.999Z',
  ])
    assert.equal(isTime(other), false, other);
});

test('times follow the clock, and come after the last one', () => {
  const before = new Date().toISOString();
  const [now, old] = [timestamp('2001-01-01T00:00:00.000Z'), timestampAfter('2001-01-01T00:00:00.000Z')];
  assert.ok(now >= before && old >= now, `${before} ${now} ${old}`);
  assert.ok(timestampAfter('9 damaged') < '9', 'a damaged time is left out');
  const last = timestamp();
  assert.equal(Date.parse(timestampAfter(last)) > Date.parse(last), true);
});

test('the time after one that is ahead of the clock is a millisecond later', (t) => {
  // A test before may have recorded a time that is 200 ms ahead.
  const last = Date.now() + 300;
  t.mock.timers.enable({ apis: ['Date'], now: last - 300 });
  assert.equal(timestampAfter(new Date(last).toISOString()), new Date(last + 1).toISOString());
  assert.equal(timestampAfter(null), new Date(last + 1).toISOString());
  assert.equal(timestampAfter('damaged'), new Date(last + 1).toISOString());
});
