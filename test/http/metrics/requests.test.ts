import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify, { type FastifyReply } from 'fastify';
import { Registry } from 'prom-client';
import { countTimeouts, createRequestMeter, measureRequests } from '../../../src/http/metrics/requests.ts';
import { parseSamples } from './samples.ts';

function start() {
  const registry = new Registry();
  const meter = createRequestMeter(registry);
  const scrape = async () => parseSamples(await registry.metrics());
  const counts = async () => {
    const entries = [...(await scrape())].filter(([name]) => /^atelier_http_request_.*_count/.test(name));
    return Object.fromEntries(entries.map(([name, count]) => [/\{(.*)\}/.exec(name)![1], count]));
  };
  return { meter, scrape, counts };
}

test('a duration is counted in the bucket of the least bound that it does not exceed', async () => {
  const { meter, scrape } = start();
  for (const seconds of [0.0005, 0.0006, 30, 31]) meter.duration('/a', 'GET', 200).observe(seconds);
  const samples = await scrape();
  const name = 'atelier_http_request_duration_seconds';
  const upTo = (bound: string) =>
    samples.get(`${name}_bucket{le="${bound}",method="GET",route="/a",status="200"}`);
  assert.deepEqual(['0.0005', '0.001', '10', '30', '+Inf'].map(upTo), [1, 2, 2, 3, 4]);
  assert.ok(Math.abs(samples.get(`${name}_sum{method="GET",route="/a",status="200"}`)! - 61.0011) < 1e-9);
});

test('requests are counted by the path of their route, and unknown paths together', async () => {
  const { meter, counts } = start();
  const app = Fastify();
  measureRequests(app, meter);
  app.get('/v1/models/:name(^[^:/]+)::predict', async (_request, reply) => reply.code(202).send());
  app.get('/v1/jobs/:id', async () => 'x');
  app.get('/stream', async (_request, reply) => {
    reply.countAsStream('events');
    return reply.send('x');
  });
  for (const url of ['/v1/models/a:predict', '/v1/jobs/1', '/v1/jobs/2', '/stream', '/x', '/y'])
    await app.inject(url);
  await app.inject({ method: 'HEAD', url: '/v1/jobs/3' });
  assert.deepEqual(await counts(), {
    'method="GET",route="/v1/models/{name}:predict",status="202"': 1,
    'method="GET",route="/v1/jobs/{id}",status="200"': 2,
    'method="HEAD",route="/v1/jobs/{id}",status="200"': 1,
    'method="any",route="unmatched",status="404"': 2,
  });
});

test('a stream is open until it is closed, and then counted', async () => {
  const { meter, scrape } = start();
  const state = async () => {
    const samples = await scrape();
    return ['events', 'wait'].map((kind) => [
      samples.get(`atelier_http_streams{kind="${kind}"}`),
      samples.get(`atelier_http_stream_duration_seconds_count{kind="${kind}"}`),
    ]);
  };
  assert.deepEqual(await state(), [
    [0, 0],
    [0, 0],
  ]);
  const close = meter.openStream('events');
  assert.deepEqual(await state(), [
    [1, 0],
    [0, 0],
  ]);
  close();
  assert.deepEqual(await state(), [
    [0, 1],
    [0, 0],
  ]);
});

test('a timeout counts as a 408 of its route, or of an unknown path', async () => {
  const { meter, counts, scrape } = start();
  const count = countTimeouts(meter);
  const reply = (url: string | undefined) =>
    ({ request: { routeOptions: { url }, method: 'POST' }, elapsedTime: 2000 }) as FastifyReply;
  for (const url of ['/v1/jobs/:id', undefined]) count(reply(url));
  assert.deepEqual(await counts(), {
    'method="POST",route="/v1/jobs/{id}",status="408"': 1,
    'method="any",route="unmatched",status="408"': 1,
  });
  const sum = 'atelier_http_request_duration_seconds_sum{method="any",route="unmatched",status="408"}';
  assert.equal((await scrape()).get(sum), 2);
});

test('the bounds of durations are those of requests and of streams', async () => {
  const { meter, scrape } = start();
  meter.duration('/a', 'GET', 200).observe(1);
  const samples = await scrape();
  const bounds = (name: string) =>
    [...samples.keys()].flatMap((key) =>
      key.startsWith(`${name}_bucket`) && !key.includes('wait') ? (/le="([^"]*)"/.exec(key)?.[1] ?? []) : [],
    );
  assert.equal(
    bounds('atelier_http_request_duration_seconds').join(' '),
    '0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 +Inf',
  );
  assert.equal(
    bounds('atelier_http_stream_duration_seconds').join(' '),
    '0.1 1 5 15 30 60 300 900 3600 14400 +Inf',
  );
});
