import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { formatApiKey, generateKey, type Scope, sha256Bytes } from '../../src/domain/api-key.ts';
import { type Process, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

const secret = generateKey();
const entry = (name: string, scope: Scope, key = secret) =>
  formatApiKey({ name, scopes: [scope], digest: sha256Bytes(key) });

async function untilLogged(service: Process, line: RegExp): Promise<void> {
  while (!line.test(service.output())) {
    assert.equal(service.child.exitCode, null, service.output());
    await setTimeout(20);
  }
}

test('SIGHUP reads the file again instead of stopping the service', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const file = join(stateDir, 'keys');
  await writeFile(file, `${entry('ci', 'predict')}\n`);
  const service = startProcess(t, stateDir, { API_KEYS_FILE: file });
  const base = await serviceAddress(service);
  service.child.kill('SIGHUP');
  await untilLogged(service, /API_KEYS_FILE was read again; 1 API keys are in force/);
  await writeFile(file, 'ci:boss:');
  service.child.kill('SIGHUP');
  await untilLogged(service, /line 1 does not have the form .* The API keys in force stay/);
  const headers = { authorization: `Bearer ${secret}` };
  assert.equal((await fetch(`${base}/v1/models`, { headers })).status, 200);

  // Without a signal, the change is noticed within seconds.
  await writeFile(`${file}.new`, entry('ops', 'predict', generateKey()));
  await rename(`${file}.new`, file);
  await untilLogged(service, /"added":\["ops"\],"removed":\["ci"\]/);
  assert.equal((await fetch(`${base}/v1/models`, { headers })).status, 401);
  service.child.kill('SIGTERM');
  assert.deepEqual(await service.exited, [0, null], service.output());
});

test('without API_KEYS_FILE, SIGHUP stops the service', async (t) => {
  const service = startProcess(t, await temporaryDirectory(t));
  await serviceAddress(service);
  service.child.kill('SIGHUP');
  assert.deepEqual(await service.exited, [0, null], service.output());
});

test('a file with an error prevents the start, and the message names the line', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const file = join(stateDir, 'keys');
  await writeFile(file, `# team\n${entry('ci', 'predict')}\nops:train:hunter2\n`);
  const service = startProcess(t, stateDir, { API_KEYS_FILE: file });
  assert.deepEqual(await service.exited, [1, null]);
  assert.match(
    service.output(),
    /Atelier does not start: API_KEYS_FILE=\S+ is invalid: line 3 has a hash that is not 64 hexadecimal digits/,
  );
  assert.doesNotMatch(service.output(), /hunter2/);
});
