import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverOptions } from '../../src/http/server-options.ts';

const options = (changes = {}) =>
  serverOptions({ maxBodyBytes: 67_108_864, trustProxy: null, basePath: '', ...changes });

test('a body of JSON is at most 1 MiB, or as large as the limit of all bodies', () => {
  assert.equal(options().bodyLimit, 1_048_576);
  assert.equal(options({ maxBodyBytes: 4096 }).bodyLimit, 4096);
});

test('proxies are trusted by their number, or by their addresses', () => {
  assert.equal(options().trustProxy, false);
  assert.deepEqual(options({ trustProxy: ['10.0.0.0/8'] }).trustProxy, ['10.0.0.0/8']);
  const { trustProxy } = options({ trustProxy: 2 });
  assert.ok(typeof trustProxy === 'function');
  assert.deepEqual(
    [0, 1, 2].map((hop) => trustProxy('192.0.2.1', hop)),
    [true, true, false],
  );
});

test('the service answers in its own words, and waits for closing as long as it takes', () => {
  const { pluginTimeout, return503OnClosing, http, routerOptions } = options();
  assert.deepEqual([pluginTimeout, return503OnClosing], [0, false]);
  assert.equal(http.requireHostHeader, false);
  assert.equal(routerOptions.maxParamLength, 128);
});

test('a base path is removed from URLs if there is one', () => {
  assert.ok(!('rewriteUrl' in options()));
  assert.ok('rewriteUrl' in options({ basePath: '/lab' }));
});
