/** How images in archives get their classes and splits. Nothing is decoded, so the files need not be images. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { strToU8, zipSync } from 'fflate';
import { fileSource } from '../../../../src/datasets/upload/byte-source.ts';
import { openArchive } from '../../../../src/datasets/upload/folders/archive.ts';
import { openImageArchive } from '../../../../src/datasets/upload/folders/open-folders.ts';
import { type DatasetFields, datasetFieldsSchema } from '../../../../src/domain/datasets/upload-form.ts';
import { isAtelierError, temporaryFolder } from '../../fixtures.ts';
import { check } from '../fixtures.ts';

/** Opens an archive of empty images with the given paths, and of texts. */
async function open(
  t: TestContext,
  images: readonly string[],
  texts: Readonly<Record<string, string>> = {},
  fields: Partial<DatasetFields> = {},
) {
  const path = join(temporaryFolder(t), 'upload');
  const named = Object.fromEntries(images.map((name) => [name, new Uint8Array(1)]));
  const bytes = zipSync({
    ...named,
    ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, strToU8(text)])),
  });
  writeFileSync(path, bytes);
  const archive = await openArchive({ ...fileSource('file', path, bytes.length), path }, 2 ** 30);
  const all = { ...datasetFieldsSchema.parse({}), testFraction: 0.5, ...fields };
  const { folders } = await openImageArchive('file', archive!, all);
  return {
    layout: folders.layout,
    table: folders.table,
    images: folders.images.map(
      ({ file, split, label }) => `${archive!.files[file]!.name} ${split} ${folders.classNames[label]}`,
    ),
  };
}

const rejects = (opened: Promise<unknown>, message: RegExp) =>
  assert.rejects(opened, isAtelierError('invalid-dataset-file', message, '#/file'));

for (const [paths, layout, expected] of [
  [
    ['Train/a/1.png', 'TEST/b/2.png', 'Train/b/3.png'],
    'split/class/file, with the splits TEST (test), Train (train)',
    'test b,train a,train b',
  ],
  [
    ['a/training/1.png', 'b/training/1.png', 'a/testing/2.png'],
    'class/split/file, with the splits testing (test), training (train)',
    'test a,train a,train b',
  ],
  [
    ['d/train/images/a/1.png', 'd/train/images/b/1.png', 'd/test/images/b/2.png'],
    'd/split/images/class/file, with the splits test, train',
    'test b,train a,train b',
  ],
  [
    ['train/a/images/1.png', 'train/b/images/1.png', 'test/a/images/2.png'],
    'split/class/images/file, with the splits test, train',
    'test a,train a,train b',
  ],
  [['x/a/img/1.png', 'x/b/img/1.png'], 'x/class/img/file', 'train a,train b'],
] as const) {
  test(`reads ${layout}`, async (t) => {
    const testFraction = expected.includes('test') ? null : 0.5;
    const opened = await open(t, paths, {}, { testFraction });
    assert.equal(opened.layout, layout);
    assert.equal(opened.images.map((image) => image.split(' ').slice(1).join(' ')).join(), expected);
  });
}

test('reads a validation split by any of its names', async (t) => {
  for (const name of ['val', 'Valid', 'validation', 'DEV']) {
    const paths = ['train/a/1.png', 'train/b/1.png', `${name}/b/2.png`, 'test/a/3.png'];
    const { images } = await open(t, paths, {}, { testFraction: null });
    assert.equal(images.at(-1), `${name}/b/2.png validation b`);
  }
});

test('rejects images outside of class folders, and suggests their names if these hold classes', async (t) => {
  const flat = ['dog_0.png', 'dog_1.png', 'cat.7.jpg', 'cat.8.jpg'];
  await rejects(
    open(t, flat),
    /"dog_0\.png" is not in a class folder; .*\(cat, dog\), send labels=filename\.$/,
  );
  await rejects(open(t, ['train/1.png', 'test/2.png']), /"train\/1\.png" is not in a class folder; [^;]*\.$/);
  await rejects(open(t, ['a/x/1.png', 'b/y/1.png']), /"a\/x\/1\.png" is not in a class folder/);
});

test('reads the class before the number of a file name, below folders of splits too', async (t) => {
  const names = ['big_dog_0.png', 'cat.12.jpg', 'cat (3).png', 'fox7.webp', '3_0012.png'];
  const { images, layout } = await open(t, names, {}, { labels: 'filename' });
  assert.deepEqual(images, [
    '3_0012.png train 3',
    'big_dog_0.png train big_dog',
    'cat (3).png train cat',
    'cat.12.jpg train cat',
    'fox7.webp train fox',
  ]);
  assert.equal(layout, 'class_number');
  const split = await open(
    t,
    ['train/a_1.png', 'train/b_1.png', 'Test/a_2.png'],
    {},
    { labels: 'filename', testFraction: null },
  );
  assert.deepEqual(split.images, ['Test/a_2.png test a', 'train/a_1.png train a', 'train/b_1.png train b']);
  await rejects(
    open(t, ['a_1.png', '17.png'], {}, { labels: 'filename' }),
    /"17\.png" holds no class; labels=filename expects/,
  );
});

const IMAGES = ['images/1.png', 'images/2.png', 'images/3.jpg'];
const LABELLED = ['images/1.png train cat', 'images/2.png train dog', 'images/3.jpg train dog'];
for (const [what, texts, fields = {}] of [
  ['with paths', { 'labels.csv': 'filename,label\nimages/1.png,cat\nimages/2.png,dog\nimages/3.jpg,dog\n' }],
  [
    'with names of files',
    { 'labels.csv': '\ufeffFile Name;Class\r\n1.png;cat\r\n2.png;dog\r\n3.jpg;dog\r\n' },
  ],
  ['without endings, as TSV', { 'images/meta.tsv': 'image_id\ttarget\n1\tcat\n2\tdog\n3\tdog\n' }],
  [
    'with paths of another machine',
    { 'a.csv': 'path,category\n"/home/me/images/1.png","cat"\nC:\\x\\2.png,dog\n3.jpg,dog' },
  ],
  [
    'with decimal commas between semicolons',
    {
      'a.csv': 'file;Breite,cm;label;Höhe\r\n1.png;"3;1";cat;1,5\r\n2.png;3;dog;2,5\r\n3.jpg;3;dog;1,5\r\n',
    },
  ],
  [
    'with the line that tells Excel the delimiter',
    { 'a.csv': '\ufeffsep=;\r\nfile;label\r\n1.png;cat\r\n2.png;dog\r\n3.jpg;dog\r\n' },
  ],
  ['with given columns', { 'a.csv': 'x,y\n1,cat\n2,dog\n3,dog' }, { fileColumn: 'x', labelColumn: 'y' }],
  [
    'of an export of Label Studio',
    {
      'export.json': JSON.stringify(
        [
          ['1.png', 'cat'],
          ['2.png', 'dog'],
          ['3.jpg', 'dog'],
        ].map(([file, choice]) => ({
          data: { image: `/data/upload/1/0a1b2c3d-${file}` },
          annotations: [{ result: [{ value: { choices: [choice] } }] }],
        })),
      ),
    },
  ],
  [
    'of an export of Label Studio as JSON-MIN or CSV',
    {
      'a.json': JSON.stringify([{ image: '/data/upload/1/0a1b2c3d-1.png', choice: 'cat' }]),
      'b.csv': 'image,id,choice\n/u/2.png,7,dog\n/u/3.jpg,8,dog',
    },
  ],
] as const satisfies (readonly [string, Readonly<Record<string, string>>, Partial<DatasetFields>?])[]) {
  test(`reads a table ${what}`, async (t) => {
    assert.deepEqual((await open(t, IMAGES, texts, fields)).images, LABELLED);
  });
}

test('a table whose bytes are damaged rejects the archive', async (t) => {
  const file = Buffer.from(
    zipSync({ '1.png': new Uint8Array(1), 'a.csv': strToU8('file,label\n1,cat\n') }, { level: 0 }),
  );
  file.write('b', file.indexOf('cat'));
  await rejects(check(t, { file }, { labels: 'table' }), /the entry "a.csv" is damaged/);
});

test('splits come from a column, from the name of a table, or from folders', async (t) => {
  const column = 'file,label,split\n1,a,train\n2,b,TRAIN\n3,a,testing';
  const names = { 'train_labels.csv': 'file,label\n1,a\n2,b', 'Test.csv': 'file,label\n3,a' };
  const expected = ['images/3.jpg test a', 'images/1.png train a', 'images/2.png train b'];
  for (const texts of [{ 'a.csv': column }, names])
    assert.deepEqual((await open(t, IMAGES, texts, { testFraction: null })).images, expected);
  const below = await open(
    t,
    ['train/1.png', 'train/2.png', 'test/3.png'],
    { 'a.csv': 'file,label\n1,a\n2,b\n3,a' },
    { testFraction: null },
  );
  assert.deepEqual(below.images, ['test/3.png test a', 'train/1.png train a', 'train/2.png train b']);
});

test('a row means the image in the folder of its split, if several have its name', async (t) => {
  const paths = ['train/1.png', 'train/2.png', 'test/1.png', 'test/2.png'];
  const expected = ['test/1.png test b', 'test/2.png test a', 'train/1.png train a', 'train/2.png train b'];
  const column = 'file,label,set\n1,a,train\n2,b,train\n1.png,b,test\n2.png,a,test';
  const names = { 'train.csv': 'file,label\n1,a\n2,b', 'test.csv': 'file,label\n1.png,b\ntest/2.png,a' };
  for (const texts of [{ 'a.csv': column }, names])
    assert.deepEqual((await open(t, paths, texts, { testFraction: null })).images, expected);
  await rejects(
    open(t, paths, { 'labels.csv': 'file,label\n1,a' }, { testFraction: null }),
    /names "1" at line 2, but several files have this name; write their folders too/,
  );
});

test('counts rows without a file and files without a row', async (t) => {
  const text = 'file,label\n1.png,a\n2.png,b\nmissing.png,a\n';
  const { images, table } = await open(t, IMAGES, { 'a.csv': text });
  assert.equal(images.length, 2);
  assert.deepEqual(table, {
    files: ['a.csv'],
    rows: 3,
    withoutFile: { rows: 1, first: ['missing.png'] },
    withoutRow: { files: 1, first: ['images/3.jpg'] },
  });
});

test('class folders precede a table, unless a table is asked for', async (t) => {
  const paths = ['a/1.png', 'b/2.png'];
  const texts = { 'x.csv': 'file,label\n1.png,c\n2.png,d' };
  assert.deepEqual((await open(t, paths, texts)).images, ['a/1.png train a', 'b/2.png train b']);
  const asked = await open(t, paths, texts, { labels: 'table' });
  assert.deepEqual(asked.images, ['a/1.png train c', 'b/2.png train d']);
  await rejects(open(t, paths, {}, { labels: 'table' }), /it holds no table/);
});

for (const [what, text, message, fields = {}] of [
  [
    'columns that are not known',
    'a,b\n1,2',
    /the table "x\.csv" has the columns "a", "b": name those .* fileColumn/,
  ],
  [
    'a given column that is missing',
    'a,b\n1,2',
    /has no column "c", which fileColumn names; its columns are "a", "b"/,
    { fileColumn: 'c' },
  ],
  ['a longer row', 'file,label\n1.png,a,b', /cannot be read: line 2 has 3 columns, unlike the first one/],
  ['an open quote', 'file,label\n1.png,"a\n', /a quote that opens before line \d+ is never closed/],
  ['a quote inside', 'file,label\n1.png,a"b"\n"2"x,b', /a quote in the middle/],
  ['a formula', 'file,label\n1.png,=1+1', /has a formula at line 2/],
  [
    'an unknown split',
    'file,label,split\n1.png,a,later',
    /has the split "later" at line 2; allowed: train, training, val/,
  ],
  [
    'two classes for an image',
    'file,label\n1.png,a\n1.png,b',
    /gives "1\.png" the class "b" at line 3, and "a" at line 2/,
  ],
  [
    'no file of the archive',
    'file,label\nx.png,a',
    /names no image of the archive; its first row is for "x\.png"/,
  ],
  ['too many columns', `${'c,'.repeat(1001)}d\n`, /has 1002 columns; the limit is 1000/],
  ['a long line', `file,label\n1.png,${'x'.repeat(2 ** 20)}`, /line \d+ is longer than 1048576 bytes/],
] as const satisfies (readonly [string, string, RegExp, Partial<DatasetFields>?])[]) {
  test(`rejects a table with ${what}`, (t) => rejects(open(t, IMAGES, { 'x.csv': text }, fields), message));
}

test('rejects a name that several files have, and several choices for an image', async (t) => {
  const paths = ['x/a/1.png', 'x/b/1.png', 'y/b/2.png'];
  const request = { labels: 'table' } as const;
  await rejects(
    open(t, paths, { 'a.csv': 'file,label\n1.png,a' }, request),
    /names "1\.png" at line 2, but several files/,
  );
  const task = { image: '1.png', choice: ['a', 'b'] };
  await rejects(open(t, IMAGES, { 'a.json': JSON.stringify([task]) }), /gives task 1 several classes: a, b/);
});
