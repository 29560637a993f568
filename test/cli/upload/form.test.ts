import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { UPLOAD_FIELDS } from '../../../cli/commands/datasets.ts';
import { IMPORT_FIELDS } from '../../../cli/commands/files.ts';
import { UsageError } from '../../../cli/errors.ts';
import { listFolder } from '../../../cli/upload/folder.ts';
import { buildForm, filePart, folderPart, listFields } from '../../../cli/upload/form.ts';
import { datasetFieldsSchema } from '../../../src/domain/datasets/upload-form.ts';
import { importRequestSchema } from '../../../src/domain/models/import.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

async function makeFile(t: TestContext): Promise<{ folder: string; file: string }> {
  const folder = await temporaryDirectory(t);
  const file = join(folder, 'a.npy');
  await writeFile(file, 'content');
  return { folder, file };
}

test('upload and import have an option for each field of their forms', () => {
  for (const [options, { shape }] of [
    [UPLOAD_FIELDS, datasetFieldsSchema],
    [IMPORT_FIELDS, importRequestSchema],
  ] as const) {
    const values = Object.fromEntries(Object.keys(options).map((name) => [name, 'x']));
    const fields = listFields(options, { ...values, field: [] });
    assert.deepEqual(
      fields.sort(),
      Object.keys(shape)
        // The option --dry-run is not sent as it is.
        .filter((name) => name !== 'dryRun')
        .map((name) => `${name}=x`)
        .sort(),
    );
  }
});

test('names the part of a file, and knows the length of the body', async (t) => {
  const { file } = await makeFile(t);
  const form = buildForm([await filePart(`train_images=${file}`)], ['name=Züge']);
  const progress: number[] = [];
  const body = await text(form.open((fraction) => progress.push(fraction)));
  assert.match(
    body,
    /name="name"\r\n\r\nZüge\r\n--.*name="train_images"; filename="a\.npy"\r\n\r\ncontent\r\n--/s,
  );
  assert.equal(form.headers['content-length'], String(Buffer.byteLength(body)));
  assert.deepEqual(progress, [1]);
});

test('sends a folder as one archive of unknown length', async (t) => {
  const { folder } = await makeFile(t);
  const form = buildForm([folderPart(folder, await listFolder(folder))], []);
  assert.deepEqual([form.headers['content-length'], form.bytes], [undefined, 7]);
  assert.match(await text(form.open()), /name="file"; filename="[^"]+\.tar"\r\n\r\na\.npy\0/);
});

test('an archive whose file has changed is an error of the file, not of the connection', async (t) => {
  const { folder, file } = await makeFile(t);
  const form = buildForm([folderPart(folder, await listFolder(folder))], []);
  await truncate(file, 1);
  await assert.rejects(text(form.open()), (error: Error) => {
    assert.ok(error instanceof UsageError);
    return error.message.startsWith(`${folder} cannot be sent: `);
  });
});

test('the name of a file cannot end its header, and a field must have a name and a value', async () => {
  async function* read(onRead: (bytes: number) => void) {
    for (const byte of Buffer.from('abcd')) {
      onRead(1);
      yield Buffer.of(byte);
    }
  }
  const part = { name: 'file', path: 'a', filename: 'a"b\r\nc', isFolder: false, bytes: 4, read };
  const form = buildForm([part, part], ['text=two\nlines = one text']);
  const fractions: number[] = [];
  const body = await text(form.open((fraction) => fractions.push(fraction)));
  assert.ok(body.includes('name="file"; filename="a%22b%0D%0Ac"\r\n\r\nabcd\r\n--'));
  assert.ok(body.includes('name="text"\r\n\r\ntwo\nlines = one text\r\n--'));
  assert.equal(form.headers['content-length'], String(Buffer.byteLength(body)));
  assert.deepEqual(fractions, [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]);
  for (const field of ['text', '=a', 'a b=c'])
    assert.throws(() => buildForm([], [field]), {
      constructor: UsageError,
      message: `--field must be name=value, but is "${field}".`,
    });
});
