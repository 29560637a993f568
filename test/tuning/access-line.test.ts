import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify, { type InjectOptions, LogController } from 'fastify';
import { logRequests } from '../../src/http/hooks/lifecycle/access-log.ts';
import { switchOff } from '../../src/tuning/switches.ts';

/** The line of one request, without its times. */
async function logged(
  t: TestContext,
  caller: string,
  headers: NonNullable<InjectOptions['headers']>,
): Promise<string> {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const logController = new LogController({ disableRequestLogging: true });
  // The serializer of the log of the process.
  const serializers = { url: (url: string) => url.split('?', 1)[0] };
  const app = Fastify({ logger: { stream, serializers }, logController, genReqId: () => 'asked "twice"' });
  t.after(() => app.close());
  app.decorateRequest('caller', 'anonymous');
  logRequests(app, 1, stream.write);
  app.get('/*', async (request) => {
    // Clients may send any bytes, but `inject` would encode the quotation mark.
    Object.defineProperty(request, 'url', { value: '/a"b?key=secret' });
    request.caller = caller;
  });
  await app.inject({ url: '/', headers });
  assert.equal(lines.length, 1);
  return lines[0]!.replace(/"time":\d+/, '').replace(/"durationMs":[\d.]+/, '');
}

test('a line is the one that pino writes if the technique is switched off', async (t) => {
  t.after(() => switchOff([]));
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  for (const [caller, headers] of [
    ['a "b"', {}],
    ['anonymous', {}],
    ['a "b"', { traceparent }],
    ['anonymous', { traceparent: 'none' }],
  ] as const) {
    switchOff([]);
    const rendered = await logged(t, caller, headers);
    switchOff(['access-line']);
    assert.equal(rendered, await logged(t, caller, headers));
    assert.equal(
      rendered.includes(`"traceparent":"${traceparent}"`),
      'traceparent' in headers && headers.traceparent === traceparent,
    );
    assert.ok(rendered.includes(JSON.stringify({ url: '/a"b' }).slice(1, -1)), rendered);
  }
});

test('lines in a row have the method, the path and the status of their own request', async (t) => {
  const lines: string[] = [];
  const logController = new LogController({ disableRequestLogging: true });
  const stream = { write: (line: string) => void lines.push(line) };
  const app = Fastify({ logger: { stream }, logController });
  t.after(() => app.close());
  app.decorateRequest('caller', 'anonymous');
  logRequests(app, 1, stream.write);
  app.all('/*', async ({ headers }, reply) => reply.code(Number(headers['x-status'])).send());
  const requests = [
    ['GET', '/a', 200],
    ['GET', '/a', 200],
    ['GET', '/a', 404],
    ['PUT', '/a', 404],
    ['PUT', '/b', 404],
    ['GET', '/a', 200],
  ] as const;
  for (const [method, url, status] of requests) {
    await app.inject({ method, url, headers: { 'x-status': `${status}` } });
  }
  const written = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    written.map(({ method, url, status }) => [method, url, status]),
    requests,
  );
});
