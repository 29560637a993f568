import assert from 'node:assert/strict';
import { test } from 'node:test';
import { creationFilters, metadataFilter } from '../../../src/http/validation/list-filters.ts';

const entries = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, '']));

test('a filter by metadata has at most eight entries of limited length', () => {
  const valid = [undefined, {}, entries(8), { ['k'.repeat(64)]: 'v'.repeat(256) }];
  for (const filter of valid) assert.ok(metadataFilter.safeParse(filter).success, JSON.stringify(filter));
  const invalid = [entries(9), { '': 'a' }, { ['k'.repeat(65)]: 'a' }, { k: 'v'.repeat(257) }, 'vision'];
  for (const filter of invalid) assert.ok(!metadataFilter.safeParse(filter).success, JSON.stringify(filter));
  assert.equal(metadataFilter.safeParse(entries(9)).error?.issues[0]?.message, 'must have at most 8 entries');
  assert.match(metadataFilter.safeParse('vision').error!.issues[0]!.message, /^must be given with a key/);
});

test('a filter by creation is a time with its zone', () => {
  for (const filter of Object.values(creationFilters)) {
    for (const time of [undefined, '2026-11-26T12:00:00Z', '2026-11-26T12:00:00.5+01:00'])
      assert.ok(filter.safeParse(time).success, time);
    for (const time of ['2026-11-26T12:00:00', '2026-11-26', 'today'])
      assert.match(filter.safeParse(time).error!.issues[0]!.message, /^must be a time of RFC 3339 /);
  }
});
