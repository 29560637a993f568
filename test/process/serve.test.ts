import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serve } from '../../src/process/serve.ts';
import { requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

test('a start that the operator can correct prints one sentence, and exits with code 1', async (t) => {
  const { exited, output } = startProcess(t, await temporaryDirectory(t), { PORT: 'http' });
  assert.deepEqual(await exited, [1, null]);
  assert.match(output().trimEnd(), /^Atelier does not start: .*PORT must be an integer .*"http".*$/);
});

test('the service keeps its state to itself, names its address, and stops on a signal', async (t) => {
  const stateDir = join(await temporaryDirectory(t), 'state');
  const service = startProcess(t, stateDir, { DATASETS: 'none', STATE_DI: 'x' });
  const base = await serviceAddress(service);
  assert.deepEqual((await requestJson<{ data: object[] }>(`${base}/v1/models`)).data, []);
  assert.equal((await stat(stateDir)).mode & 0o777, 0o700);
  assert.equal((await stat(join(stateDir, 'atelier.sqlite'))).mode & 0o777, 0o600);
  service.child.kill('SIGTERM');
  assert.deepEqual(await service.exited, [0, null], service.output());
  assert.match(service.output(), /"level":40,.*"msg":"Unknown environment variable STATE_DI\. Did you mean/);
  assert.match(service.output(), /"msg":"stopping".*\n.*"msg":"stopped"/);
});

/** Starts the service in this process with an environment that cannot be read. Returns what it prints and exits with. */
async function failToStart(t: TestContext, reason: Error) {
  const printed: unknown[] = [];
  const codes: unknown[] = [];
  const masks: unknown[] = [];
  const environment = Object.defineProperty({}, 'PORT', {
    enumerable: true,
    get() {
      throw reason;
    },
  });
  t.mock.method(console, 'error', (message: unknown) => void printed.push(message));
  t.mock.method(process, 'exit', (code: unknown) => void codes.push(code));
  t.mock.method(process, 'umask', (mask: unknown) => void masks.push(mask));
  t.mock.property(process, 'env', environment);
  await serve(() => {});
  t.mock.restoreAll();
  return { printed, codes, masks };
}

test('an error of the system is printed as a sentence, and a defect with its stack', async (t) => {
  const unreadable = Object.assign(new Error('EIO: i/o error, read'), { syscall: 'read' });
  const defect = new TypeError('a defect');
  for (const [reason, printed] of [
    [unreadable, 'Atelier does not start: EIO: i/o error, read'],
    [defect, defect],
  ] as const) {
    assert.deepEqual(await failToStart(t, reason), { printed: [printed], codes: [1], masks: [0o077] });
  }
});
