import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { shortenTimeSlice } from '../../src/tuning/time-slice.ts';

/** Posts the id of its thread. */
const THREAD = `
  const { readlinkSync } = require('node:fs');
  require('node:worker_threads').parentPort.once('message', () => {}).postMessage(readlinkSync('/proc/thread-self'));
`;

/** Whether the `chrt` of this system can set slices, and its Linux has them. */
function isPossible(): boolean {
  const slice = ['--other', '--sched-runtime', '200000', '0'];
  const { stdout } = spawnSync('chrt', [...slice, 'sh', '-c', 'chrt --pid $$'], { encoding: 'utf8' });
  return stdout?.includes('runtime parameter: 200000') ?? false;
}

const sliceOf = (thread: string | number) =>
  /runtime parameter: (\d+)/.exec(execFileSync('chrt', ['--pid', String(thread)], { encoding: 'utf8' }))?.[1];

test('the main thread gets a short time slice, and later threads that of the system', async () => {
  if (!isPossible()) {
    await shortenTimeSlice();
    return;
  }
  const ofSystem = sliceOf(process.pid);
  assert.equal(await shortenTimeSlice(), true);
  assert.equal(sliceOf(process.pid), '400000');
  const worker = new Worker(THREAD, { eval: true });
  const [thread] = await once(worker, 'message');
  assert.equal(sliceOf(String(thread).split('/').at(-1)!), ofSystem);
  await worker.terminate();
});

test('without chrt nothing changes', async (t) => {
  const { PATH } = process.env;
  t.after(() => {
    process.env['PATH'] = PATH;
  });
  process.env['PATH'] = '/nonexistent';
  assert.equal(await shortenTimeSlice(), false);
});
