/** Responses name no file of the machine; the log does. */
import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { npz, small } from '../../datasets/upload/fixtures.ts';
import { startService, temporaryDirectory, testImage, tiny, train } from '../../support/start-service.ts';
import { upload } from '../upload.ts';

test('responses contain no path of the state directory', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const lines: string[] = [];
  const { app } = await startService(t, { STATE_DIR: stateDir }, (line) => lines.push(line));
  const dataset = (await upload(app, { file: npz(small()) })).json<{ id: string }>().id;
  const image = await testImage(app, 0);
  assert.equal((await train(app, tiny({ modelName: 'lost' }))).status, 'succeeded');

  for (const folder of ['blobs', 'datasets', 'checkpoints']) {
    for (const name of await readdir(join(stateDir, folder)))
      await rm(join(stateDir, folder, name), { force: true });
    await rm(join(stateDir, folder), { recursive: true });
    await writeFile(join(stateDir, folder), 'a file in the place of the folder');
  }
  const failed = await train(app, tiny({ modelName: 'unstored' }));
  assert.match(
    failed.error!.message,
    /^STATE_DIR cannot store the parameters of the model version: ENOTDIR\. /,
  );
  assert.ok(
    lines.some((line) => line.includes(stateDir)),
    'the log names the file',
  );

  const octets = { 'content-type': 'application/octet-stream' };
  const url = '/v1/models/lost/predictions';
  const responses = {
    'job fields': await app.inject(`/v1/training-jobs/${failed.id}`),
    'job events': await app.inject(`/v1/training-jobs/${failed.id}/events`),
    upload: await upload(app, { file: npz(small()) }),
    images: await app.inject(`/v1/datasets/${dataset}/splits/test/images/0`),
    prediction: await app.inject({ method: 'POST', url, payload: image, headers: octets }),
    export: await app.inject('/v1/models/lost/versions/1/export?format=json'),
    training: await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: tiny({ dataset }) }),
  };
  for (const [name, { body, statusCode }] of Object.entries(responses)) {
    assert.equal(statusCode, name.startsWith('job ') ? 200 : 500, name);
    assert.ok(!body.includes(stateDir), `${name}: ${body}`);
  }
});
