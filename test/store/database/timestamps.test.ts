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
