import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { switchOff } from '../../src/tuning/switches.ts';
import { SLICE_NS, shortenTimeSlice } from '../../src/tuning/time-slice.ts';

/** Posts the id of its thread; its listener keeps it running. */
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

const skip = !isPossible() && 'needs chrt 2.41 and Linux 6.12';

test('the main thread gets a short time slice, and threads that start later keep the slice of the system', {
  skip,
}, async () => {
  const ofSystem = sliceOf(process.pid);
  assert.equal(await shortenTimeSlice(), true);
  assert.equal(sliceOf(process.pid), String(SLICE_NS));
  const worker = new Worker(THREAD, { eval: true });
  const [thread] = await once(worker, 'message');
  assert.equal(sliceOf(String(thread).split('/').at(-1)!), ofSystem);
  await worker.terminate();
});

test('nothing changes if the technique is switched off', async (t) => {
  t.after(() => switchOff([]));
  switchOff(['time-slice']);
  assert.equal(await shortenTimeSlice(), false);
});

test('without chrt nothing changes', async (t) => {
  const { PATH } = process.env;
  t.after(() => {
    process.env['PATH'] = PATH;
  });
  process.env['PATH'] = '/nonexistent';
  assert.equal(await shortenTimeSlice(), false);
});
