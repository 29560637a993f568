import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { COMPUTING_NICENESS } from '../../../src/workers/threads/priority.ts';

test('a computing thread has a lower priority than the main thread', {
  skip: !existsSync('/proc/thread-self'),
}, async () => {
  const before = getPriority();
  const worker = new Worker(new URL('../children/low-priority.ts', import.meta.url));
  const [priority] = await once(worker, 'message');
  assert.equal(priority, COMPUTING_NICENESS);
  assert.equal(getPriority(), before);
});
