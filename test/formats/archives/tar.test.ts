import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTarHeader, readTar } from '../../../src/formats/archives/tar.ts';
import { rejectModelFile } from '../../../src/formats/models/file-error.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const END = Buffer.alloc(1024);
const RECORD_LIMIT = 65_536;

interface Fields {
  readonly type?: string;
  /** The field of the size; by default, the octal digits of the length of the content. */
  readonly size?: string;
  /** Further bytes of the header, by their offset. */
  readonly also?: Readonly<Record<number, string>>;
}

/** A header as POSIX describes it (pax, section ustar), and the content up to a whole number of blocks. */
function entry(name: string, content: Buffer | string = '', { type = '0', size, also = {} }: Fields = {}) {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0, 'latin1');
  header.write(size ?? `${bytes.length.toString(8).padStart(11, '0')} `, 124, 'latin1');
  header.write(`        ${type}`, 148, 'latin1');
  for (const [at, text] of Object.entries(also)) header.write(text, Number(at), 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A record `length key=value\n` of less than 92 bytes, whose length counts itself. */
const pax = (key: string, value: string) => `${key.length + value.length + 5} ${key}=${value}\n`;

async function* chunked(archive: Uint8Array, bytes: number) {
  for (let at = 0; at < archive.length; at += bytes) yield archive.subarray(at, at + bytes);
}

/** Name, kind and content of each entry. */
async function list(parts: readonly Buffer[], chunkBytes = 1 << 20): Promise<string[][]> {
  const found: string[][] = [];
  for await (const each of readTar(chunked(Buffer.concat(parts), chunkBytes), rejectModelFile)) {
    const content = Buffer.from(await each.read());
    assert.equal(content.length, each.bytes);
    found.push([each.name, each.kind, content.toString()]);
  }
  return found;
}

test('reads entries from chunks of any size, with and without blocks of zeros at the end', async () => {
  const whole = 'x'.repeat(512);
  const parts = [entry('a.png', 'first'), entry('whole', whole), entry('empty'), entry('b.png', 'second')];
  const expected = [
    ['a.png', 'file', 'first'],
    ['whole', 'file', whole],
    ['empty', 'file', ''],
    ['b.png', 'file', 'second'],
  ];
  for (const bytes of [1, 511, 512, 513, 10_000]) {
    assert.deepEqual(await list(parts, bytes), expected);
    assert.deepEqual(await list([...parts, END, entry('after the end')], bytes), expected);
  }
});

test('skips what is not read of an entry', async () => {
  const parts = [entry('a', 'x'.repeat(700)), entry('b', 'y'.repeat(700)), entry('c', 'z')];
  const first: string[] = [];
  for await (const each of readTar(chunked(Buffer.concat(parts), 100), rejectModelFile)) {
    if (each.name !== 'b') first.push(Buffer.from(await each.read(3)).toString());
  }
  assert.deepEqual(first, ['xxx', 'z']);
});

test('the kind of an entry is its type, and links and folders have no content', async () => {
  const size = '00000000005 ';
  const kinds: readonly [type: string, kind: string][] = [
    ['0', 'file'],
    ['\0', 'file'],
    ['7', 'file'],
    ['1', 'link'],
    ['2', 'link'],
    ['5', 'folder'],
    ['D', 'folder'],
    ['3', 'special file'],
  ];
  for (const [type, kind] of kinds) {
    const content = kind === 'file' ? 'bytes' : '';
    assert.deepEqual(await list([entry('a', content, { type, size }), entry('b')]), [
      ['a', kind, content],
      ['b', 'file', ''],
    ]);
  }
  assert.deepEqual(await list([entry('folder/')]), [['folder/', 'folder', '']]);
});

test('the blocks that list the holes of a sparse file are not its content', async () => {
  const [more, last] = [Buffer.alloc(512), Buffer.alloc(512)];
  more[504] = 1;
  const parts = [entry('a', '', { type: 'S', size: '00000000004 ', also: { 482: '\x01' } }), more, last];
  const content = Buffer.alloc(512);
  content.write('data');
  assert.deepEqual(await list([...parts, content, entry('b')]), [
    ['a', 'sparse file', 'data'],
    ['b', 'file', ''],
  ]);
  assert.deepEqual(await list([entry('a', 'data', { type: 'S' }), entry('b')]), [
    ['a', 'sparse file', 'data'],
    ['b', 'file', ''],
  ]);
});

test('names are of the header, with the prefix of ustar, or of a record before it', async () => {
  const ustar = { also: { 257: 'ustar\0', 345: 'folder' } };
  const gnu = { also: { 257: 'ustar ', 345: 'folder' } };
  const long = `${'n'.repeat(RECORD_LIMIT - 1)}\0`;
  const parts = [
    entry('a', '', ustar),
    entry('b', '', gnu),
    entry('c'.repeat(100), '', { also: { 257: 'ustar\0' } }),
    entry('././@LongLink', long, { type: 'L' }),
    entry('d'),
    entry('././@LongLink', 'target\0', { type: 'K' }),
    entry('pax_global_header', pax('comment', 'path=x'), { type: 'g' }),
    entry('PaxHeaders/e', pax('path', 'p=q') + pax('size', '2'), { type: 'x' }),
    entry('e', 'ef', { size: '00000000007 ' }),
    entry('f', 'f'),
  ];
  assert.deepEqual(await list(parts, 1000), [
    ['folder/a', 'file', ''],
    ['b', 'file', ''],
    ['c'.repeat(100), 'file', ''],
    [long.slice(0, -1), 'file', ''],
    ['p=q', 'file', 'ef'],
    ['f', 'file', 'f'],
  ]);
});

test('pax records mark sparse files, and have their names', async () => {
  const records = pax('GNU.sparse.major', '1') + pax('GNU.sparse.name', 'real') + pax('path', 'hidden');
  assert.deepEqual(await list([entry('x', records, { type: 'x' }), entry('a', 'map')]), [
    ['real', 'sparse file', 'map'],
  ]);
  const old = pax('GNU.sparse.map', '0,1');
  assert.deepEqual(await list([entry('x', old, { type: 'x' }), entry('a', 'map')]), [
    ['a', 'sparse file', 'map'],
  ]);
});

test('a size of 8 GiB and more is a number of 95 bits', async () => {
  const size = '\x80\0\0\0\0\0\0\x02\0\0\x01\x03';
  const archive = chunked(entry('a', '', { size }), 512);
  const { value } = await readTar(archive, rejectModelFile).next();
  assert.equal(value?.bytes, 2 ** 33 + 256 + 3);
});

for (const [defect, parts, message] of [
  ['a header is cut', [entry('a').subarray(0, 511)], 'the tar archive is truncated'],
  ['a content is cut', [entry('a', 'content').subarray(0, 518)], 'the tar archive is truncated'],
  ['a padding is cut', [entry('a', 'content').subarray(0, 1023)], 'the tar archive is truncated'],
  [
    'a checksum is wrong',
    [Buffer.from(entry('a')).fill('b', 0, 1)],
    'the tar archive is damaged: a header has a wrong checksum',
  ],
  [
    'a size is not octal',
    [entry('a', '', { size: '0000000000x ' })],
    'the tar archive is damaged: an entry has no valid size',
  ],
  [
    'a size is not a safe integer',
    [entry('a', '', { size: '\x80\0\0\0\0\x20\0\0\0\0\0\0' })],
    'the tar archive is damaged: an entry has no valid size',
  ],
  [
    'a record is too large',
    [entry('a', Buffer.alloc(RECORD_LIMIT + 1, 'n'), { type: 'L' })],
    'the tar archive has a record of 65537 bytes; the limit is 65536',
  ],
  ...['11 path=', 'x path=a\n', '0 path=a\n', '3 =a\n', '12 path=ab\n', '2 '].map(
    (record) =>
      [
        `an extended header is ${JSON.stringify(record)}`,
        [entry('x', record, { type: 'x' })],
        'the tar archive is damaged: an extended header is not valid',
      ] as const,
  ),
  ...['-1', '1.5', 'x'].map(
    (size) =>
      [
        `an extended header has the size ${size}`,
        [entry('x', pax('size', size), { type: 'x' })],
        'the tar archive is damaged: an entry has no valid size',
      ] as const,
  ),
] as const) {
  test(`rejects an archive if ${defect}`, async () => {
    await assert.rejects(list(parts), isAtelierError('invalid-model-file', new RegExp(`${message}\\.$`)));
  });
}

test('a header is recognized by its checksum, which spaces and NULs may surround', () => {
  const header = entry('a');
  assert.equal(isTarHeader(header), true);
  assert.equal(isTarHeader(header.subarray(0, 511)), false);
  const digits = header.toString('latin1', 148, 154);
  for (const [field, isHeader] of [
    [` ${digits.slice(1)} `, true],
    [`\0${digits.slice(1)}\0`, true],
    [`${digits}77`, false],
    ['        ', false],
  ] as const) {
    const changed = Buffer.from(header);
    changed.write(field.padEnd(8, ' '), 148, 'latin1');
    assert.equal(isTarHeader(changed), isHeader, JSON.stringify(field));
  }
});
