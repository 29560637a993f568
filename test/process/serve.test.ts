import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

test('a start that the operator can correct prints one sentence, and exits with code 1', async (t) => {
  const { exited, output } = startProcess(t, await temporaryDirectory(t), { PORT: 'http' });
  assert.deepEqual(await exited, [1, null]);
  assert.match(output().trimEnd(), /^Atelier does not start: .*PORT must be an integer .*"http".*$/);
});

test('the service keeps its state to itself, names its address, and stops on a signal', async (t) => {
  const stateDir = join(await temporaryDirectory(t), 'state');
  const service = startProcess(t, stateDir, { DATASETS: 'none' });
  const base = await serviceAddress(service);
  assert.deepEqual((await requestJson<{ data: object[] }>(`${base}/v1/models`)).data, []);
  assert.equal((await stat(stateDir)).mode & 0o777, 0o700);
  assert.equal((await stat(join(stateDir, 'atelier.sqlite'))).mode & 0o777, 0o600);
  service.child.kill('SIGTERM');
  assert.deepEqual(await service.exited, [0, null], service.output());
  assert.match(service.output(), /"msg":"stopping".*\n.*"msg":"stopped"/);
});
