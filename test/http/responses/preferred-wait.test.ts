import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AtelierError } from '../../../src/errors.ts';
import { createWaitAsPreferred } from '../../../src/http/responses/preferred-wait.ts';

function exchange(prefer: string | string[] | undefined) {
  const headers = new Map<string, string>();
  const streams: string[] = [];
  const raw = Object.assign(new EventEmitter(), { closed: false });
  const reply = {
    raw,
    getHeader: (name: string) => headers.get(name),
    header: (name: string, value: string) => headers.set(name, value),
    countAsStream: (kind: string) => streams.push(kind),
  } as unknown as FastifyReply;
  return { request: { headers: { prefer } } as unknown as FastifyRequest, reply, headers, streams, raw };
}

const job = (status: 'running' | 'succeeded') => ({ id: 'job_1', status });

/** Waits for a job. The wait ends at once, or when its signal aborts. */
function start(
  prefer: string | string[] | undefined,
  status: 'running' | 'succeeded' = 'running',
  endless = false,
) {
  const stopping = new AbortController();
  const { request, reply, ...rest } = exchange(prefer);
  const waited: string[] = [];
  const waitAsPreferred = createWaitAsPreferred({
    async waitForEnd(id, signal) {
      waited.push(id);
      if (endless && !signal.aborted)
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    stopping: () => stopping.signal,
    countStream: () => {},
  });
  return { ...rest, stopping, waited, waiting: () => waitAsPreferred(request, reply, job(status)) };
}

test('a wait follows the first valid preference, for at most a minute', async () => {
  for (const [prefer, applied] of [
    ['wait=30', 'wait=30'],
    ['respond-async, Wait = "5"; foo=bar', 'wait=5'],
    [['wait=x', 'wait=7', 'wait=8'], 'wait=7'],
    ['wait=61', 'wait=60'],
    ['wait=60', 'wait=60'],
  ] as const) {
    const { waiting, headers, streams, waited } = start(typeof prefer === 'string' ? prefer : [...prefer]);
    assert.equal(await waiting(), true);
    assert.deepEqual(Object.fromEntries(headers), { vary: 'Prefer', 'preference-applied': applied });
    assert.deepEqual([streams, waited], [['wait'], ['job_1']]);
  }
});

test('a response without a valid preference is immediate', async () => {
  for (const prefer of [undefined, 'wait=0', 'wait=-1', 'wait', 'waits=3', 'return=minimal']) {
    const { waiting, headers, streams, waited } = start(prefer);
    assert.equal(await waiting(), false);
    assert.deepEqual([Object.fromEntries(headers), streams, waited], [{ vary: 'Prefer' }, [], []]);
  }
});

test('a job that has ended is not awaited', async () => {
  const { waiting, headers, waited } = start('wait=9', 'succeeded');
  assert.equal(await waiting(), false);
  assert.deepEqual([headers.get('preference-applied'), waited], ['wait=9', []]);
});

test('a wait ends with its time, its client or the service, and leaves nothing behind', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const end of [
    () => t.mock.timers.tick(3000),
    ({ raw }: ReturnType<typeof start>) => raw.emit('close'),
    ({ stopping }: ReturnType<typeof start>) => stopping.abort(),
  ]) {
    const wait = start('wait=3', 'running', true);
    let isOver = false;
    const waiting = wait.waiting().then(() => (isOver = true));
    t.mock.timers.tick(2999);
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    end(wait);
    await waiting;
    assert.equal(getEventListeners(wait.stopping.signal, 'abort').length, 0);
  }
  const late = start('wait=3', 'running', true);
  late.stopping.abort();
  assert.equal(await late.waiting(), true);
});

test('the limit of streams only makes the response immediate, and other errors fail', async () => {
  const wait = (error: Error) => {
    const { request, reply } = exchange('wait=3');
    const waitAsPreferred = createWaitAsPreferred({
      waitForEnd: () => assert.fail(),
      stopping: () => new AbortController().signal,
      countStream() {
        throw error;
      },
    });
    return waitAsPreferred(request, reply, job('running'));
  };
  assert.equal(await wait(new AtelierError('overloaded', 'Too many.')), false);
  await assert.rejects(wait(new AtelierError('rate-limited', 'Too many.')), /Too many/);
});
