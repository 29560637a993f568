import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify, { LogController } from 'fastify';
import { logRequests } from '../../../../src/http/hooks/lifecycle/access-log.ts';
import { switchOff } from '../../../../src/tuning/switches.ts';

interface Line {
  readonly reqId: string;
  readonly status: number;
  readonly url: string;
  readonly time: number;
}

async function logged(fraction: number | null, statuses: readonly number[]): Promise<Line[]> {
  const lines: Line[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logController = new LogController({ disableRequestLogging: true });
  const app = Fastify({ logger: { stream }, logController });
  app.decorateRequest('caller', 'anonymous');
  logRequests(app, fraction, stream.write);
  app.get<{ Params: { status: number } }>('/:status', async ({ params }, reply) =>
    reply.code(params.status).send(),
  );
  for (const status of statuses) await app.inject(`/${status}`);
  await app.close();
  return lines;
}

test('all requests, rejected and failed ones, or none are logged', async () => {
  const expected = new Map([
    [1, [200, 399, 400, 500]],
    [0, [400, 500]],
    [null, []],
  ]);
  for (const [fraction, statuses] of expected) {
    const lines = await logged(fraction, [200, 399, 400, 500]);
    assert.deepEqual(
      lines.map(({ status }) => status),
      statuses,
      `${fraction}`,
    );
  }
});

test('a fraction of the successful requests is logged, and every rejected one', async () => {
  const statuses = Array.from({ length: 400 }, (_, n) => (n % 2 === 0 ? 200 : 404));
  const lines = await logged(0.5, statuses);
  const successes = lines.filter(({ status }) => status === 200).length;
  // Ten standard deviations of the binomial distribution around its mean of 100.
  assert.ok(successes > 30 && successes < 170, `${successes} of 200`);
  assert.equal(lines.filter(({ status }) => status === 404).length, 200);
});

test('lines of one millisecond have the members of their own requests', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1 });
  const lines = await logged(1, [200, 200, 404, 200]);
  assert.deepEqual(
    lines.map(({ status, url, time }) => [status, url, time]),
    [
      [200, '/200', 1],
      [200, '/200', 1],
      [404, '/404', 1],
      [200, '/200', 1],
    ],
  );
  assert.equal(new Set(lines.map(({ reqId }) => reqId)).size, 4);
});

test('callers without a key are not named', async () => {
  const [line] = await logged(1, [200]);
  assert.ok(!('caller' in line!));
});

test('a line has the same members whether it is written by pino or not', async (t) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const members = async (caller: string, headers = {}) => {
    const lines: string[] = [];
    const stream = { write: (line: string) => void lines.push(line) };
    const logController = new LogController({ disableRequestLogging: true });
    const app = Fastify({ logger: { stream }, logController, genReqId: () => 'req-1' });
    app.decorateRequest('caller', caller);
    logRequests(app, 1, stream.write);
    app.get('/', async () => 'x');
    await app.inject({ url: '/', headers });
    const { time: _, durationMs, ...rest } = JSON.parse(lines.join(''));
    assert.ok(durationMs >= 0);
    return rest;
  };
  t.after(() => switchOff([]));
  const cases = [['anonymous'], ['ci', { traceparent }]] as const;
  for (const [caller, headers] of cases) {
    switchOff([]);
    const rendered = await members(caller, headers);
    switchOff(['access-line']);
    assert.deepEqual(await members(caller, headers), rendered);
    const { reqId, method, url, status, msg } = rendered;
    assert.deepEqual([reqId, method, url, status, msg], ['req-1', 'GET', '/', 200, 'request completed']);
    assert.equal(rendered.caller, caller === 'anonymous' ? undefined : caller);
    assert.equal(rendered.traceparent, headers?.traceparent);
  }
});

test('a log above the level of requests has none', async () => {
  for (const [level, count] of [
    ['debug', 1],
    ['info', 1],
    ['warn', 0],
    ['silent', 0],
  ] as const) {
    const lines: string[] = [];
    const app = Fastify({ logger: { level, stream: { write: () => {} } } });
    app.decorateRequest('caller', 'anonymous');
    logRequests(app, 1, (line) => lines.push(line));
    app.get('/', async () => 'x');
    await app.inject('/');
    assert.equal(lines.length, count, level);
  }
});
