/** The program beside a service that opens its page, run in this process. */
import assert from 'node:assert/strict';
import processes, { type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setImmediate as flush } from 'node:timers/promises';
import { applyMocks } from '../../support/mocked-builtins.ts';

const OPEN_PAGE = new URL('../../../cli/service/open-page.ts', import.meta.url).href;
let runs = 0;

/**
 * Starts the program for process 123.
 * @param responses what the service responds, one after the other: a status, or null if it cannot be reached
 * @param lives how many times the service is found running
 */
function start(t: TestContext, responses: (number | null)[], lives = Number.POSITIVE_INFINITY) {
  const requested: string[] = [];
  const looked: unknown[] = [];
  const browser = new EventEmitter();
  t.mock.method(process, 'kill', (pid: number, signal: number) => {
    looked.push([pid, signal]);
    if (looked.length > lives) throw new Error('ESRCH');
    return true;
  });
  t.mock.method(globalThis, 'fetch', async (url: URL) => {
    requested.push(url.href);
    const status = responses.shift();
    if (!status) throw new TypeError('fetch failed');
    return new Response(null, { status });
  });
  const spawn = t.mock.method(processes, 'spawn', () => browser as ChildProcess);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  applyMocks(t);
  const { argv } = process;
  t.after(() => {
    process.argv = argv;
  });
  process.argv = [process.execPath, 'open-page.ts', 'http://localhost:3000/', '123'];
  // Every run evaluates the module again.
  const ended: Promise<unknown> = import(`${OPEN_PAGE}?run=${runs++}`);
  return { requested, looked, browser, spawn, ended };
}

async function untilRequested(requested: readonly string[], count: number): Promise<void> {
  while (requested.length < count) await flush();
  await flush();
}

test('the page is opened once the service is ready, which is asked four times a second', async (t) => {
  const { requested, looked, browser, spawn, ended } = start(t, [null, 503, 200]);
  for (const count of [1, 2]) {
    await untilRequested(requested, count);
    t.mock.timers.tick(249);
    await flush();
    assert.deepEqual([requested.length, spawn.mock.callCount()], [count, 0]);
    t.mock.timers.tick(1);
  }
  await ended;
  assert.deepEqual(new Set(requested), new Set(['http://localhost:3000/health/ready']));
  assert.deepEqual([requested.length, looked.length, looked[0]], [3, 4, [123, 0]]);
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const { arguments: started } = spawn.mock.calls[0]!;
  assert.deepEqual([...started], [program, ['http://localhost:3000/'], { stdio: 'ignore' }]);
  const error = t.mock.method(console, 'error', () => {});
  browser.emit('error', new Error('spawn xdg-open ENOENT'));
  const message = 'No browser opens: spawn xdg-open ENOENT. The page is at http://localhost:3000/';
  assert.deepEqual(error.mock.calls[0]!.arguments, [message]);
});

test('no page is opened of a service that ended before it was ready', async (t) => {
  const { requested, spawn, ended } = start(t, [503], 1);
  await untilRequested(requested, 1);
  t.mock.timers.tick(250);
  await ended;
  assert.deepEqual([requested.length, spawn.mock.callCount()], [1, 0]);
});

test('no page is opened if the service ends as it becomes ready', async (t) => {
  const { requested, spawn, ended } = start(t, [200], 1);
  await ended;
  assert.deepEqual([requested.length, spawn.mock.callCount()], [1, 0]);
});
