import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { FastifyReply } from 'fastify';
import {
  createClientCounts,
  identifyClient,
  isThisMachine,
  onceClosed,
} from '../../../../src/http/hooks/connections/client.ts';

test('a client is its key, or its address without one', () => {
  assert.equal(identifyClient({ caller: 'team', ip: '192.0.2.1' }), 'key team');
  assert.equal(identifyClient({ caller: 'anonymous', ip: '192.0.2.1' }), '192.0.2.1');
  const [one, two, other] = ['2001:db8:1:2::1', '2001:db8:1:2:3::4', '2001:db8:1:3::1'].map((ip) =>
    identifyClient({ caller: 'anonymous', ip }),
  );
  assert.equal(one, two);
  assert.notEqual(one, other);
});

test('loopback addresses are of this machine, also within IPv6', () => {
  assert.deepEqual(['127.0.0.1', '127.9.0.1', '::1', '::ffff:127.0.0.1'].map(isThisMachine), [
    true,
    true,
    true,
    true,
  ]);
  assert.deepEqual(['128.0.0.1', '192.0.2.1', '::2', '::ffff:192.0.2.1', ''].map(isThisMachine), [
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('a release happens once: at the end, or at once if that has passed', () => {
  let released = 0;
  const raw = Object.assign(new EventEmitter(), { closed: false });
  const reply = { raw } as unknown as Pick<FastifyReply, 'raw'>;
  onceClosed(reply, () => released++);
  assert.equal(released, 0);
  raw.emit('close');
  raw.emit('close');
  assert.equal(released, 1);
  raw.closed = true;
  onceClosed(reply, () => released++);
  assert.equal(released, 2);
});

test('counts are kept per client, and in total', () => {
  const counts = createClientCounts();
  counts.add('a', 2);
  counts.add('b', 1);
  counts.add('a', 1);
  assert.deepEqual([counts.get('a'), counts.get('b'), counts.get('c'), counts.total()], [3, 1, 0, 4]);
  counts.add('a', -3);
  assert.deepEqual([counts.get('a'), counts.total()], [0, 1]);
  counts.add('a', 1);
  assert.equal(counts.get('a'), 1);
});
