import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify, { LogController } from 'fastify';
import { logRequests } from '../../src/http/hooks/lifecycle/access-log.ts';
import { switchOff } from '../../src/tuning/switches.ts';

/** The line of one request, without its times. */
async function logged(t: TestContext, caller: string): Promise<string> {
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
  await app.inject('/');
  assert.equal(lines.length, 1);
  return lines[0]!.replace(/"time":\d+/, '').replace(/"durationMs":[\d.]+/, '');
}

test('a line is the one that pino writes if the technique is switched off', async (t) => {
  t.after(() => switchOff([]));
  for (const caller of ['a "b"', 'anonymous']) {
    switchOff([]);
    const rendered = await logged(t, caller);
    switchOff(['access-line']);
    assert.equal(rendered, await logged(t, caller));
    assert.ok(rendered.includes(JSON.stringify({ url: '/a"b' }).slice(1, -1)), rendered);
  }
});
