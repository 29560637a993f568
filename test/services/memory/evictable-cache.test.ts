import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEvictableCache } from '../../../src/services/memory/evictable-cache.ts';

const make = (removed: string[] = []) =>
  createEvictableCache<{ size: number }>({
    maxBytes: 10,
    bytesOf: ({ size }) => size,
    onRemoved: (_entry, reason) => removed.push(reason),
  });

test('evicts the least recently used entries beyond the bytes, and on demand', () => {
  const removed: string[] = [];
  const cache = make(removed);
  for (const name of ['a', 'b', 'c']) cache.set(name, { size: 3 });
  cache.get('a');
  cache.set('d', { size: 4 });
  assert.deepEqual([...cache.keys()], ['d', 'a', 'c']);
  assert.deepEqual([cache.bytes(), removed], [10, ['evict']]);
  cache.evict(4);
  assert.deepEqual([...cache.keys()], ['d']);
  cache.evict(100);
  assert.equal(cache.bytes(), 0);
});

test('keeps a single entry above the limit', () => {
  const cache = make();
  cache.set('a', { size: 3 });
  cache.set('large', { size: 11 });
  assert.deepEqual([...cache.keys()], ['large']);
});
