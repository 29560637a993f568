import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../support/start-service.ts';
import { run } from '../run.ts';
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

const CHECKED = {
  id: 'dst_1',
  classNames: ['cat', 'dog'],
  imageShape: [28, 28],
  splits: {
    train: { examples: 9, examplesPerClass: [5, 4] },
    test: { examples: 3, examplesPerClass: [2, 1] },
  },
  report: {
    imageShape: '28×28: The images have 2 different sizes.',
    archive: {
      layout: 'split/class/file',
      damaged: { images: 1, first: [{ path: 'cat/1.png', reason: 'it is cut' }] },
      ignored: { files: 2, first: ['a.txt', 'b\u0007.txt'] },
    },
    warnings: [{ message: 'Class dog has 4 images.' }],
  },
};
const SHOWN = `CLASS  TRAIN  TEST
cat    5      2
dog    4      1
all    9      3
28×28: The images have 2 different sizes.
Read as split/class/file.
Damaged images, left out: 1, such as cat/1.png (it is cut).
Other files, left out: 2, such as a.txt, b\uFFFD.txt.
warning: Class dog has 4 images.
`;

test('upload shows a dry run at a terminal, and asks', async (t) => {
  const file = join(await temporaryDirectory(t), 'images.zip');
  await writeFile(file, 'archive');
  const { environment, requests } = await serveAnswers(t, { 'POST /v1/datasets': CHECKED });
  const forms = () => requests.splice(0).map(({ body }) => body.includes('name="dryRun"\r\n\r\ntrue'));
  const yes = await run(['upload', file], environment, false, 'y');
  assert.equal(yes.stdout, 'dst_1\n');
  assert.ok(yes.stderr.startsWith(`${SHOWN}Upload this data set? [y/N] `), yes.stderr);
  assert.deepEqual(forms(), [true, false]);
  const no = await run(['upload', file], environment, false, '');
  assert.deepEqual([no.code, no.stdout, forms()], [0, '', [true]]);
  await run(['upload', file, '--yes'], environment, false, 'n');
  assert.deepEqual(forms(), [false]);
});

test('upload --dry-run prints what is understood, and uploads nothing', async (t) => {
  const file = join(await temporaryDirectory(t), 'images.zip');
  await writeFile(file, 'archive');
  const classNames = Array.from({ length: 31 }, (_, n) => `c${n}`);
  const counts = { examples: 31, examplesPerClass: new Array(31).fill(1) };
  const many = { ...CHECKED, classNames, splits: { train: counts, validation: counts, test: counts } };
  for (const [answer, expected] of [
    [CHECKED, /^CLASS {2}TRAIN {2}TEST\n/],
    [many, /^CLASS +TRAIN {2}VALIDATION {2}TEST\n(?:c\d+ .*\n){30}and 1 more\nall +31 +31 +31\n/],
  ] as const) {
    const { atelier, requests } = await serveAnswers(t, { 'POST /v1/datasets': answer });
    assert.match(await printed(atelier('upload', file, '--dry-run')), expected);
    assert.equal(requests.length, 1);
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
