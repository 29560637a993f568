import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import {
  DATASET_FORM_LIMITS,
  type Form,
  formOfFile,
  MODEL_FORM_LIMITS,
  readForm,
} from '../../../src/http/bodies/form.ts';
import { IMAGE_FORM_LIMITS } from '../../../src/http/bodies/image-form.ts';
import { malformedForm } from '../../../src/http/bodies/multipart.ts';
import { toMemory } from '../../../src/http/bodies/receive-file.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { formRequest, type Part } from './form-request.ts';

const FIELDS = z.strictObject({ a: z.string().transform(Number).default(7), b: z.string().optional() });
const ONE = formOfFile('model', 'curl -F model=@m.npz', FIELDS);
const MANY: Form<typeof FIELDS> = {
  fields: FIELDS,
  files: { images: 'several', labels: 'optional', test: 'optional' },
  limits: { files: 4, fields: 3, fieldBytes: 8 },
  example: (name) => `curl -F ${name}=@a.npy`,
  tooLarge: (maxBytes) => `More than ${maxBytes} bytes.`,
  tooManyFiles: () => malformedForm('it has many files'),
  otherFile: (name) => `Is not a file: ${name}.`,
};

const read = async (form: Form<typeof FIELDS>, parts: readonly Part[]) =>
  readForm(formRequest(parts), form, 4, async (file) => [file.name, `${await toMemory(file)}`] as const);
const file = (name: string, content = '1234'): Part => ({ name, filename: 'f', content });
const text = (name: string, content: string): Part => ({ name, content });

test('a form is its files, in their order, and its fields as their schema has them', async () => {
  const parts = [
    text('a', '1'),
    file('labels', '1'),
    text('b', ''),
    file('images', '2'),
    file('images', '3'),
  ];
  assert.deepEqual(await read(MANY, parts), {
    fields: { a: 1 },
    files: [
      ['labels', '1'],
      ['images', '2'],
      ['images', '3'],
    ],
  });
  assert.deepEqual(await read(ONE, [file('model')]), { fields: { a: 7 }, files: [['model', '1234']] });
});

test('empty fields and file inputs are skipped, except a field whose empty value has a meaning', async () => {
  const parts = [text('a', ''), { name: 'labels', filename: '', content: '' }, text('b', ''), file('images')];
  assert.deepEqual((await read(MANY, parts)).fields, { a: 7 });
  const { fields, files } = await read({ ...MANY, meaningfulEmpty: 'b' }, parts);
  assert.deepEqual([fields, files.length], [{ a: 7, b: '' }, 1]);
});

test('a star stands for files of any name', async () => {
  const { files } = await read({ ...MANY, files: { '*': 'several' } }, [file('x', '1'), file('x', '2')]);
  assert.equal(files.length, 2);
});

for (const [what, form, parts, code, detail] of [
  [
    'without its file',
    ONE,
    [],
    'invalid-request',
    /#\/model: Is required\. Send it as in curl -F model=@m\.npz\.$/,
  ],
  [
    'without any file',
    MANY,
    [text('a', '1')],
    'malformed-body',
    /it has no file\. Send one, as in curl -F file=@a\.npy\.$/,
  ],
  [
    'of text instead of a file',
    ONE,
    [text('model', '1')],
    'invalid-request',
    /#\/model: Must be a file, as in curl -F model=@m\.npz\.$/,
  ],
  [
    'of text instead of one of several files',
    MANY,
    [text('labels', '1')],
    'invalid-request',
    /#\/labels: Must be a file, as in curl -F labels=@a\.npy\.$/,
  ],
  [
    'with a file of another name',
    ONE,
    [file('a')],
    'invalid-request',
    /#\/a: Must not be a file; the only file is `model`\.$/,
  ],
  ['with another file', MANY, [file('a')], 'invalid-request', /#\/a: Is not a file: a\.$/],
  [
    'with two files',
    ONE,
    [file('model', '1'), file('a', '1')],
    'malformed-body',
    /^The form has more than one file\. Send one, as in curl -F model=@m\.npz\.$/,
  ],
  [
    'with a large file',
    ONE,
    [file('model', '12345')],
    'body-too-large',
    /larger than the limit of 4 bytes\.$/,
  ],
  [
    'with a file twice',
    MANY,
    [file('test', '1'), file('test', '2')],
    'invalid-request',
    /#\/test: Is given more than once\.$/,
  ],
  [
    'with a field twice',
    MANY,
    [text('a', '1'), text('a', '2')],
    'invalid-request',
    /#\/a: Is given more than once\.$/,
  ],
  [
    'with a long field',
    MANY,
    [text('a', '123456789')],
    'invalid-request',
    /#\/a: Must be at most 8 bytes long\.$/,
  ],
  ['with an unknown field', MANY, [file('images'), text('x', '1')], 'invalid-request', /#\/x/],
] as const) {
  test(`a form ${what} is rejected`, async () => {
    await assert.rejects(read(form, parts), isAtelierError(code, detail));
  });
}

test('each kind of form has its limits', () => {
  assert.deepEqual(
    [IMAGE_FORM_LIMITS, MODEL_FORM_LIMITS, DATASET_FORM_LIMITS],
    [
      { files: 1000, fields: 16, fieldBytes: 1024 },
      { files: 1, fields: 32, fieldBytes: 655_360 },
      { files: 16, fields: 32, fieldBytes: 655_360 },
    ],
  );
});
