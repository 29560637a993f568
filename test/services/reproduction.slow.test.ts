/** A verification in the real process, which is killed meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../src/domain/training-job.ts';
import { serving, startProcess, untilServedJob } from '../start-process.ts';
import { hasEnded, interruptible, isUnderway, temporaryDirectory } from '../start-service.ts';

const agreeing = { agrees: true, sameKernel: true, sameProcessor: true };

test('a verification continues after its process is killed', async (t) => {
  const stateDir = await temporaryDirectory(t);
  let service = startProcess(t, stateDir);
  let base = await serving(service);
  const call = async (path: string, init: RequestInit = {}) =>
    (await (await fetch(`${base}/v1/training-jobs${path}`, init)).json()) as TrainingJob;
  const until = (id: string, holds: (job: TrainingJob) => boolean) => untilServedJob(base, id, holds);
  const headers = { 'content-type': 'application/json' };
  const asked = await call('', { method: 'POST', headers, body: JSON.stringify(interruptible) });
  const job = await until(asked.id, hasEnded);
  const { id } = await call(`/${job.id}/verify`, { method: 'POST' });
  assert.equal((await until(id, isUnderway)).status, 'running');
  service.child.kill('SIGKILL');
  await service.exited;
  service = startProcess(t, stateDir);
  base = await serving(service);
  const again = await until(id, hasEnded);
  assert.deepEqual(again.verification, { of: job.id, expected: job.digest, ...agreeing });
  assert.deepEqual([again.digest, again.model], [job.digest, null]);
});
