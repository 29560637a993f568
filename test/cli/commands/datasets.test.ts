import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../support/start-service.ts';
import { printed, serveAnswers } from './answers.ts';

const report = {
  archive: {},
  imageShape: '28×28: All images have\u0007 28×28 pixels.',
  warnings: [{ message: 'Class one has 2 images.' }],
};

test('upload counts what it leaves out of a folder, and notes the chosen shape and the warnings', async (t) => {
  const folder = await temporaryDirectory(t);
  const upload = async (name: string, hidden: number, links: number) => {
    const path = join(folder, name);
    await mkdir(join(path, 'one'), { recursive: true });
    await writeFile(join(path, 'one/image.png'), 'image');
    for (let n = 0; n < hidden; n++) await writeFile(join(path, `.hidden-${n}`), '');
    for (let n = 0; n < links; n++) await symlink('one', join(path, `link-${n}`));
    const { atelier } = await serveAnswers(t, { 'POST /v1/datasets': { id: 'dst_1', report } });
    const { stdout, stderr } = await atelier('upload', path);
    assert.equal(stdout, 'dst_1\n');
    return stderr.replace(path, 'FOLDER');
  };
  const notes = '28×28: All images have\uFFFD 28×28 pixels.\nwarning: Class one has 2 images.\n';
  assert.equal(await upload('a', 2, 0), `Left out of FOLDER: 2 hidden files.\n${notes}`);
  assert.equal(await upload('b', 0, 2), `Left out of FOLDER: 2 links.\n${notes}`);
  assert.equal(await upload('c', 1, 1), `Left out of FOLDER: 1 hidden file and 1 link.\n${notes}`);
  assert.equal(await upload('d', 0, 0), notes);
});

test('upload notes no shape of images that is requested, or that arrays have', async (t) => {
  const file = join(await temporaryDirectory(t), 'images.npz');
  await writeFile(file, 'arrays');
  const { archive, ...arrays } = report;
  for (const [answer, args] of [
    [{ id: 'dst_1', report }, ['--image-shape', '28x28']],
    [{ id: 'dst_1', report: arrays }, []],
  ] as const) {
    const { atelier } = await serveAnswers(t, { 'POST /v1/datasets': answer });
    assert.equal((await atelier('upload', file, ...args)).stderr, 'warning: Class one has 2 images.\n');
  }
});

test('datasets lists a line per data set', async (t) => {
  const dataset = {
    id: 'dst_1',
    name: null,
    imageShape: [32, 32, 3],
    classNames: ['a', 'b'],
    splits: { train: { examples: 60 }, validation: { examples: 20 }, test: { examples: 10 } },
    createdAt: '2026-11-24T23:52:10.123Z',
  };
  const { atelier } = await serveAnswers(t, { 'GET /v1/datasets?limit=5': { data: [dataset] } });
  assert.equal(
    await printed(atelier('datasets', '--limit', '5')),
    'DATA SET  NAME  SHAPE    CLASSES  TRAIN  VALIDATION  TEST  CREATED (UTC)\n' +
      'dst_1     -     32×32×3  2        60     20          10    2026-11-24 23:52:10\n',
  );
});
