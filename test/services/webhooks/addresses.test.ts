import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import { isReachable, toBlockList } from '../../../src/services/webhooks/addresses.ts';

test('the ends of special ranges are not reachable, and their neighbours are', () => {
  const nothing = new BlockList();
  for (const [address, reachable] of [
    ['9.255.255.255', true],
    ['10.0.0.0', false],
    ['10.255.255.255', false],
    ['11.0.0.0', true],
    ['172.15.255.255', true],
    ['172.16.0.0', false],
    ['172.31.255.255', false],
    ['172.32.0.0', true],
    ['223.255.255.255', true],
    ['255.255.255.255', false],
    ['1fff::1', false],
    ['2000::1', true],
    ['2001:1ff::1', false],
    ['2001:200::1', true],
    ['2001:db8::1', false],
    ['3fff::1', false],
    ['3fff:1000::1', true],
    ['4000::1', false],
    ['::ffff:8.8.8.8', false],
  ] as const) {
    assert.equal(isReachable(address, nothing), reachable, address);
  }
});

test('listed addresses and networks are reachable, whatever they are', () => {
  const listed = toBlockList(['10.1.2.3', '192.168.0.0/16', 'fd00::/8', '::1']);
  assert.deepEqual(
    ['10.1.2.3', '192.168.7.7', 'fd12::1', '::1'].map((address) => isReachable(address, listed)),
    [true, true, true, true],
  );
  assert.deepEqual(
    ['10.1.2.4', '192.169.0.0', 'fc00::1', '::2'].map((address) => isReachable(address, listed)),
    [false, true, false, false],
  );
});
