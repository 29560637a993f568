/** Starting and running a service with a damaged state directory. */
import assert from 'node:assert/strict';
import { chmod, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { serviceAddress, startProcess } from '../support/start-process.ts';
import {
  assertProblem,
  startService,
  temporaryDirectory,
  testImage,
  tiny,
  train,
} from '../support/start-service.ts';
import { requestJson } from '../support/witness.ts';

const DAMAGES: Record<string, (path: string) => Promise<void>> = {
  'cut off': (path) => truncate(path, 1000),
  gone: (path) => rm(path),
  'changed in one bit': async (path) => {
    const bytes = await readFile(path);
    bytes[100]! ^= 1;
    await writeFile(path, bytes);
  },
};

test('a version with damaged parameters reports it, and everything else works', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const before = await startService(t, { STATE_DIR: stateDir });
  const names = Object.keys(DAMAGES).map((_, n) => `damaged-${n}`);
  const digests: string[] = [];
  for (const [seed, modelName] of [...names, 'whole'].entries()) {
    digests.push((await train(before.app, tiny({ modelName, seed }))).digest!);
  }
  const picture = await testImage(before.app, 0);
  await before.close();
  for (const [n, damage] of Object.values(DAMAGES).entries()) {
    await damage(join(stateDir, 'blobs', digests[n]!.slice('sha256:'.length)));
  }

  const { app } = await startService(t, { STATE_DIR: stateDir, LOG_LEVEL: 'silent' });
  const predict = (name: string) =>
    app.inject({
      method: 'POST',
      url: `/v1/models/${name}/predictions`,
      headers: { 'content-type': 'application/octet-stream' },
      payload: picture,
    });
  for (const [n, name] of names.entries()) {
    const { detail } = assertProblem(await predict(name), 500, 'state-unusable');
    assert.match(
      detail,
      new RegExp(`${digests[n]}.*Restore the file from a backup, or train the model again`),
    );
    assert.ok(!detail.includes(stateDir), 'where files lie is nothing that clients need to know');
    assert.equal((await app.inject(`/v1/models/${name}`)).statusCode, 200);
    const started = await app.inject({
      method: 'POST',
      url: '/v1/training-jobs',
      payload: tiny({ modelName: 'from', warmStart: name }),
    });
    assertProblem(started, 500, 'state-unusable');
  }
  assert.equal((await predict('whole')).statusCode, 200);

  // Training again restores the same parameters.
  assert.equal((await train(app, tiny({ modelName: 'again', seed: 0 }))).digest, digests[0]);
  for (const name of ['again', names[0]!]) assert.equal((await predict(name)).statusCode, 200);
});

test('a truncated database stops the start with advice, and is not changed', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const before = await startService(t, { STATE_DIR: stateDir });
  await train(before.app);
  await before.close();
  const database = join(stateDir, 'atelier.sqlite');
  const { size } = await stat(database);
  await truncate(database, size >> 1);
  const bytes = await readFile(database);
  const service = startProcess(t, stateDir);
  assert.deepEqual(await service.exited, [1, null]);
  assert.match(service.output(), /^Atelier does not start: .*atelier\.sqlite.*from a backup/);
  assert.doesNotMatch(service.output(), /\n\s+at /);
  assert.deepEqual(await readFile(database), bytes);
});

/** Launcher that drops root, for whom every directory is writable. */
const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

test('an unwritable state directory stops the start, and is named', async (t) => {
  const stateDir = await temporaryDirectory(t);
  await (await startService(t, { STATE_DIR: stateDir })).close();
  await chmod(stateDir, 0o555);
  const refused = startProcess(t, stateDir, {}, process.getuid?.() === 0 ? asNobody : []);
  assert.deepEqual(await refused.exited, [1, null]);
  assert.match(
    refused.output(),
    new RegExp(`^Atelier does not start: .*${stateDir}.*is not writable.*STATE_DIR`),
  );
  await chmod(stateDir, 0o755);
  assert.deepEqual(await requestJson(`${await serviceAddress(startProcess(t, stateDir))}/health/live`), {
    live: true,
  });
});
