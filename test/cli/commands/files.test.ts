import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../support/start-service.ts';
import { serveAnswers } from './answers.ts';

test('import says which classes are numbered, and how a version can be evaluated', async (t) => {
  const file = join(await temporaryDirectory(t), 'model.npz');
  await writeFile(file, 'model');
  const version = {
    name: 'mine',
    version: 3,
    classNames: ['0', '1', '2\u0007'],
    testAccuracy: null,
    lineage: { import: { assumed: ['classNames'] } },
  };
  const named = { ...version, testAccuracy: 0.75, lineage: { import: { assumed: ['activation'] } } };
  for (const [answer, text] of [
    [version, 'mine@3, class names 0…2\uFFFD, not evaluated: give --dataset\n'],
    [named, 'mine@3, test accuracy 0.7500\n'],
  ] as const) {
    const { atelier } = await serveAnswers(t, { 'POST /v1/models': answer });
    const shown = await atelier('import', file, '--name', 'mine');
    assert.deepEqual([shown.code, shown.stdout], [0, text]);
  }
});

test('export writes the file, prints its name, and leaves nothing beside it', async (t) => {
  const folder = await temporaryDirectory(t);
  const { atelier } = await serveAnswers(t, {
    'GET /v1/models/mine': { aliases: {}, latest: { version: 4 } },
    'GET /v1/models/mine/versions/4/export?format=npz': {
      status: 200,
      headers: { 'x-model-digest': 'sha256:1' },
      body: 'weights',
    },
  });
  const file = join(folder, 'out.npz');
  const { code, stdout } = await atelier('export', 'mine', '--format', 'npz', '-o', file, '--json');
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { file, digest: 'sha256:1' });
  assert.equal(await readFile(file, 'utf8'), 'weights');
  assert.deepEqual(await readdir(folder), ['out.npz']);
  const absent = join(folder, 'absent/out.npz');
  const unwritable = await atelier('export', 'mine@4', '--format', 'npz', '-o', absent);
  assert.equal(unwritable.code, 2);
  assert.ok(unwritable.stderr.startsWith(`The file ${absent} cannot be written: ENOENT`));
});

test('export names the file by the model and the version unless told', async (t) => {
  const { atelier } = await serveAnswers(t, {
    'GET /v1/models/mine/versions/4/export?format=absent%2Fnpz': {
      status: 200,
      headers: {},
      body: 'weights',
    },
  });
  // The folder does not exist, so the test leaves no file behind.
  const { code, stderr } = await atelier('export', 'mine@4', '--format', 'absent/npz');
  assert.equal(code, 2);
  assert.ok(stderr.startsWith('The file mine-4.absent/npz cannot be written: ENOENT'), stderr);
});
