import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { serviceAddress } from '../../../src/http/responses/service-address.ts';
import { serverOptions } from '../../../src/http/server-options.ts';

async function addressOf(headers: Record<string, string>, trustProxy: number | null = null) {
  const app = fastify(serverOptions({ maxBodyBytes: 1024, trustProxy, basePath: '' }));
  app.get('/', async (request) => serviceAddress(request));
  return (await app.inject({ url: '/', headers })).body;
}

test('the address is the host of the request, with its port', async () => {
  for (const host of ['localhost:3456', 'atelier.example', '192.0.2.7:80', '[::1]:3000']) {
    assert.equal(await addressOf({ host }), `http://${host}`);
  }
});

test('a trusted proxy names scheme and host, and an unknown one is ignored', async () => {
  const headers = {
    host: 'localhost:3000',
    'x-forwarded-host': 'atelier.example',
    'x-forwarded-proto': 'https',
  };
  assert.equal(await addressOf(headers, 1), 'https://atelier.example');
  assert.equal(await addressOf(headers), 'http://localhost:3000');
});

test('headers cannot put commands into the address', async () => {
  for (const host of ['a;id', '$(id):80', 'a`id`', '"a', 'a b', '']) {
    assert.match(await addressOf({ host }), /^http:\/\/localhost:/);
  }
  const headers = { host: 'a', 'x-forwarded-proto': 'https;id' };
  assert.match(await addressOf(headers, 1), /^http:\/\/localhost:/);
});
