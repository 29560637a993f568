import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { collectRecords, recordNames } from '../../../src/http/validation/query-records.ts';

const collect = (query: object) => ({ ...collectRecords({ ...query }, ['metadata']) });

test('records of a schema may be optional', () => {
  const record = z.record(z.string(), z.string());
  const schema = z.object({ a: record, b: record.optional(), c: z.string(), d: z.string().optional() });
  assert.deepEqual(recordNames(schema), ['a', 'b']);
  assert.deepEqual(recordNames(record), []);
});

test('collects the keys of a record in both styles, and leaves other parameters', () => {
  assert.deepEqual(collect({ 'metadata.team': 'a', 'metadata[a.b]': 'c', 'metadata.d.e': 'f', limit: '1' }), {
    metadata: { team: 'a', 'a.b': 'c', 'd.e': 'f' },
    limit: '1',
  });
  for (const name of ['other.team', 'metadata.', 'metadata[]', 'metadata[a', 'metadata.__proto__'])
    assert.deepEqual(collect({ [name]: 'a' }), { [name]: 'a' });
});

test('a key in both styles has both values, and a record without a key its value only', () => {
  assert.deepEqual(collect({ 'metadata.a': 'b', 'metadata[a]': 'c' }), { metadata: { a: ['b', 'c'] } });
  assert.deepEqual(collect({ metadata: 'a', 'metadata.b': 'c' }), { metadata: 'a' });
});
