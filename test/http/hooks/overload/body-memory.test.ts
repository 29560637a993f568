import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify, { type FastifyRequest } from 'fastify';
import { reserveBodyMemory } from '../../../../src/http/hooks/overload/body-memory.ts';
import { isLargeBody } from '../../../../src/http/hooks/overload/large-bodies.ts';
import { createMemoryLedger, MEBIBYTE } from '../../../../src/services/memory/ledger.ts';

/** A server whose budget is 100 MiB, and the bytes that were reserved while it handled a request. */
function startServer() {
  const memory = createMemoryLedger({ limit: 100 * MEBIBYTE, base: 0 });
  const app = Fastify({ bodyLimit: 64 * MEBIBYTE });
  reserveBodyMemory(app, memory);
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  app.post('/', async () => memory.used());
  const post = async (length: number, type: string, more: Record<string, string> = {}) => {
    const headers = { 'content-type': type, ...more };
    const response = await app.inject({ method: 'POST', url: '/', headers, payload: Buffer.alloc(length) });
    return { status: response.statusCode, reserved: Number(response.body), code: response.json().code };
  };
  return { memory, post };
}

test('reserves several times a large body, more for text, until the response is sent', async () => {
  const { memory, post } = startServer();
  const binary = await post(2 * MEBIBYTE, 'application/octet-stream');
  const text = await post(2 * MEBIBYTE, 'text/csv');
  assert.ok(binary.reserved > 2 * MEBIBYTE && text.reserved > 2 * binary.reserved);
  assert.equal((await post(1000, 'text/csv')).reserved, 0);
  assert.equal(memory.used(), 0);
});

test('a compressed body reserves what it can inflate to', async () => {
  const { post } = startServer();
  const gzip = { 'content-encoding': 'gzip' };
  const { status, reserved } = await post(1000, 'text/csv', gzip);
  assert.deepEqual([status, reserved], [200, 1000 * 1032 * 4.5]);
  assert.equal((await post(100_000, 'application/octet-stream', gzip)).reserved, 64 * MEBIBYTE * 1.5);
});

test('rejects a body if too little memory is free, or if it can never fit', async () => {
  const { memory, post } = startServer();
  assert.equal((await post(30 * MEBIBYTE, 'text/csv')).code, 'impossible-request');
  using _other = memory.reserve(99 * MEBIBYTE, { what: 'A check' });
  assert.equal((await post(2 * MEBIBYTE, 'text/csv')).code, 'overloaded');
});

test('a body is large above 256 KiB, or if its length is not known', () => {
  const isLarge = (headers: object) => isLargeBody({ headers } as FastifyRequest);
  assert.deepEqual([{}, { 'content-length': '262144' }].map(isLarge), [false, false]);
  for (const headers of [
    { 'content-length': '262145' },
    { 'content-length': '1', 'content-encoding': 'gzip' },
    { 'transfer-encoding': 'chunked' },
  ])
    assert.equal(isLarge(headers), true);
});

test('each type takes its multiple of a large body, up to the limit of its route or of a form', async () => {
  const length = 300_000;
  const { post } = startServer();
  for (const [type, factor] of [
    ['image/png', 1.5],
    ['application/x-npy', 1.5],
    ['text/html', 4.5],
    ['text/csv; charset=utf-8', 4.5],
  ] as const)
    assert.equal((await post(length, type)).reserved, length * factor, type);
  const memory = createMemoryLedger({ limit: 100 * MEBIBYTE, base: 0 });
  const app = Fastify();
  reserveBodyMemory(app, memory, 1_000_000);
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  app.post('/', async () => memory.used());
  const headers = { 'content-type': 'multipart/form-data', 'transfer-encoding': 'chunked' };
  const form = await app.inject({ method: 'POST', url: '/', headers, payload: 'x' });
  assert.equal(Number(form.body), 1_500_000);
});
