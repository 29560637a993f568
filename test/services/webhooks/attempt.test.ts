import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import { attemptDelivery, RETRY_DELAYS_MS } from '../../../src/services/webhooks/attempt.ts';
import { startReceiver } from '../../support/servers/webhook-receiver.ts';

const NOW = Date.parse('2026-03-01T00:00:00.000Z');
const message = {
  jobId: 'job_1',
  messageId: 'msg_1',
  url: 'https://receiver.example/hook',
  secret: `whsec_${Buffer.alloc(32, 9).toString('base64')}`,
  body: '{}',
  attempts: 1,
};

const attempt = (changes: Partial<Parameters<typeof attemptDelivery>[1]> = {}, attempts = 1, body = '{}') =>
  attemptDelivery(
    { ...message, attempts, body },
    {
      origins: [],
      allowed: new BlockList(),
      signal: new AbortController().signal,
      delaysMs: [1000, 2000],
      onDefect: assert.ifError,
      ...changes,
    },
  );

test('a failed attempt is repeated after its delay, which varies by a tenth, and the last one is not', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const error = 'WEBHOOK_ORIGINS does not list https://receiver.example.';
  for (const [random, attempts, delayMs] of [
    [0, 1, 900],
    [0.5, 1, 1000],
    [0.75, 1, 1050],
    [0.5, 2, 2000],
  ] as const) {
    const { mock } = t.mock.method(Math, 'random', () => random);
    const retryAt = new Date(NOW + delayMs);
    assert.deepEqual(await attempt({}, attempts), { type: 'failed', error, retryAt });
    mock.restore();
  }
  assert.deepEqual(await attempt({}, 3), { type: 'failed', error, retryAt: null });
});

test('an attempt that the service breaks off is not counted as failed', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  assert.deepEqual(await attempt({ signal: AbortSignal.abort() }), {
    type: 'interrupted',
    retryAt: new Date(NOW),
  });
});

test('a defect is reported, and not shown to the owner of the job', async () => {
  const defects: unknown[] = [];
  const onDefect = (error: unknown) => void defects.push(error);
  const outcome = await attempt({ origins: ['https://receiver.example'], onDefect }, 3, 'not JSON');
  assert.deepEqual(outcome, { type: 'failed', error: 'Internal error.', retryAt: null });
  assert.ok(defects[0] instanceof SyntaxError && defects.length === 1);
});

test('eleven attempts are made within about a day', () => {
  const minutes = RETRY_DELAYS_MS.map((delay) => delay / 60_000);
  assert.deepEqual(minutes, [5 / 60, 0.5, 2, 10, 30, 60, 120, 240, 480, 480]);
});

test('the status of the response decides whether a message is delivered, and is shown if not', async (t) => {
  const statuses = [200, 299, 300, 399, 400, 410, 500];
  const receiver = await startReceiver(t, (response, n) => void response.writeHead(statuses[n - 1]!).end());
  const delivery = {
    ...message,
    url: receiver.origin,
    body: JSON.stringify({ data: { traceparent: 'a-b' } }),
  };
  const outcomes: unknown[] = [];
  for (const _ of statuses) {
    const outcome = await attemptDelivery(delivery, {
      origins: [receiver.origin],
      allowed: new BlockList(),
      signal: new AbortController().signal,
      delaysMs: [1000],
      onDefect: assert.ifError,
    });
    outcomes.push(outcome.type === 'failed' ? [outcome.error, outcome.retryAt !== null] : outcome.type);
  }
  assert.deepEqual(outcomes, [
    'delivered',
    'delivered',
    ['The receiver responded with 300. Redirects are not followed.', true],
    ['The receiver responded with 399. Redirects are not followed.', true],
    ['The receiver responded with 400.', true],
    ['The receiver responded with 410. No further attempt is made.', false],
    ['The receiver responded with 500.', true],
  ]);
  const { headers } = receiver.received[0]!;
  assert.deepEqual([headers['user-agent'], headers['traceparent']], ['Atelier-Webhooks', 'a-b']);
});
