import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOfPartition, WEEK_MS } from '../../../src/store/postgres/partitions.ts';

test('a partition ends a week after the day of its name', () => {
  assert.equal(WEEK_MS, 604_800_000);
  assert.equal(endOfPartition('events_20261126'), Date.parse('2026-12-03T00:00:00Z'));
  assert.equal(endOfPartition('metrics_20261231'), Date.parse('2027-01-07T00:00:00Z'));
  for (const other of ['events_default', 'events', 'events_2026112', 'atelier_events_20261126']) {
    assert.equal(endOfPartition(other), undefined, other);
  }
});
