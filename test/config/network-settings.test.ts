import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hostsWithoutKeys,
  isBasePath,
  isHost,
  isLoopback,
  isNetwork,
  isOrigin,
  isTrustProxy,
  parseTrustProxy,
  splitList,
} from '../../src/config/network-settings.ts';
import { describeUnknownVariables } from '../../src/config/unknown-variables.ts';

for (const [check, valid, invalid] of [
  [
    isLoopback,
    ['127.0.0.1', '127.255.255.255', '::1', 'LocalHost'],
    ['126.255.255.255', '128.0.0.0', '::2', 'host', '0.0.0.0'],
  ],
  [
    isOrigin,
    ['http://h', 'https://h.example:8443', 'http://[::1]:81'],
    ['https://h:443', 'https://H', 'https://h/', 'ftp://h', 'h', 'https:'],
  ],
  [
    isHost,
    ['h', 'a-b.c_d', '10.0.0.1', '::1', '[::1]'],
    ['', 'a..b', '.a', 'h:80', '[10.0.0.1]', '[h]', 'a/b'],
  ],
  [
    isBasePath,
    ['', '/a', '/a/b-c.~_', '/v3', '/a/v1', '/...a'],
    ['/', 'a', '/a/', '/v1', '/v1/a', '/page.js', '/a/../b', '/.', '/a b', '//a'],
  ],
  [
    isNetwork,
    ['10.0.0.1', '10.0.0.0/1', '10.0.0.0/32', '::/1', '::/128', 'fd00::1'],
    [
      'h',
      'fe80::1%eth0',
      '10.0.0.0/0',
      '10.0.0.0/33',
      '::/129',
      '::/0',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '10.0.0.0/a',
    ],
  ],
] as const) {
  test(`${check.name} accepts exactly the valid values`, () => {
    const all = [...valid, ...invalid];
    assert.deepEqual(all.filter(check), valid);
  });
}

test('proxies are 1 to 32, or addresses and networks', () => {
  for (const entries of [[], ['1'], ['32'], ['10.0.0.1'], ['::1', '10.0.0.0/8']])
    assert.ok(isTrustProxy(entries));
  for (const entries of [['0'], ['33'], ['1', '2'], ['1', '10.0.0.1'], ['h']])
    assert.ok(!isTrustProxy(entries));
  assert.deepEqual([[], ['32'], ['::1']].map(parseTrustProxy), [null, 32, ['::1']]);
});

test('a list is separated by commas, without empty entries', () => {
  assert.deepEqual(splitList(' a, b ,,c,'), ['a', 'b', 'c']);
});

test('clients without keys use hosts of this machine and given ones, as browsers write them', () => {
  const own = ['localhost', '127.0.0.1', '[::1]'];
  assert.deepEqual(hostsWithoutKeys('127.0.0.1', []), own);
  assert.deepEqual(hostsWithoutKeys('127.0.0.2', ['Lab.Example', '0:0::2', 'FE80::1%eth0']), [
    ...own,
    ...['127.0.0.2', 'lab.example', '[::2]', '[fe80::1%eth0]'],
  ]);
  assert.equal(hostsWithoutKeys('0.0.0.0', []), null);
  assert.deepEqual(hostsWithoutKeys('0.0.0.0', ['h']), [...own, '0.0.0.0', 'h']);
});

test('a variable is suspicious within two letters, or if its first word and two more letters agree', () => {
  const known = ['STATE_DIR', 'RATE_LIMIT_PER_MINUTE', 'PORT', 'HOSTED'];
  for (const [name, meant] of [
    ['STATE_D', 'STATE_DIR'],
    ['STATEDIR', 'STATE_DIR'],
    ['STAT_DI', 'STATE_DIR'],
    ['STAT_D', undefined],
    ['STATE_X', undefined],
    ['RATE_LI', 'RATE_LIMIT_PER_MINUTE'],
    ['RATE_L', undefined],
    ['HOSTE', undefined],
    ['HOSTEDX', 'HOSTED'],
    ['PORTS', undefined],
  ] as const) {
    const message = `Unknown environment variable ${name}. Did you mean ${meant}?`;
    assert.deepEqual(describeUnknownVariables([name], known), meant ? [message] : [], name);
  }
  assert.deepEqual(describeUnknownVariables(known, known), []);
});
