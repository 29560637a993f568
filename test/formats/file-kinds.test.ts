import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { describeFile, identifyFile } from '../../src/formats/file-kinds.ts';
import { importModel } from '../../src/formats/models/import.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

const image = sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } });

test('names the kind of a file', async () => {
  const [png, jpeg, webp, avif] = await Promise.all(
    (['png', 'jpeg', 'webp', 'avif'] as const).map((format) => image.clone().toFormat(format).toBuffer()),
  );
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1');
  const bmp = Buffer.from('BM\x66\x09\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0', 'latin1');
  const cases: readonly [file: Uint8Array, kind: string | undefined][] = [
    [png!, 'a PNG image'],
    [jpeg!, 'a JPEG image'],
    [webp!, 'a WebP image'],
    [avif!, 'an AVIF image'],
    [heic, 'a HEIC image'],
    [bmp, 'a BMP image'],
    [Buffer.from('BMW, Audi\n'), 'text'],
    [Buffer.from('BZhello\n'), 'text'],
    [Buffer.from('%PDF-1.7\n'), 'a PDF document'],
    [Buffer.from('Rar!\x1a\x07\x01\0', 'latin1'), 'a RAR archive'],
    [Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), 'a 7z archive'],
    [zipSync({ a: new Uint8Array(1) }), 'a zip archive'],
    [npyBytes(new Uint8Array(4), [4]), 'an npy array'],
    [Buffer.from('label,pixel1\n3,0\nä'), 'text'],
    [Buffer.from('[1, 2]'), 'JSON'],
    [Buffer.from('<!DOCTYPE html><p>'), 'an HTML page'],
    [new Uint8Array(0), 'an empty file'],
    [Uint8Array.of(7, 1, 2, 255), undefined],
  ];
  for (const [file, kind] of cases) assert.equal(describeFile(file.subarray(0, 512)), kind);
});

test('text is UTF-8 without control characters, and its last character may be cut', () => {
  const text = Buffer.from('a😀');
  for (const cut of [0, 1, 2, 3]) assert.equal(describeFile(text.subarray(0, 5 - cut)), 'text', `${cut}`);
  assert.equal(describeFile(Buffer.from('\t\r\n\x1b[0m')), 'text');
  for (const bytes of [
    [0x61, 0x08],
    [0x61, 0x0e],
    [0x61, 0xff, 0x61, 0x61, 0x61],
    [0xf0, 0x9f, 0x98],
  ])
    assert.equal(describeFile(Uint8Array.from(bytes)), undefined, `${bytes}`);
});

test('knows the media types of images, of npy and of JSON', async () => {
  const types = new Map<Uint8Array, string | undefined>([
    [await image.clone().png().toBuffer(), 'image/png'],
    [await image.clone().webp().toBuffer(), 'image/webp'],
    [await image.clone().gif().toBuffer(), 'image/gif'],
    [await image.clone().tiff().toBuffer(), 'image/tiff'],
    [npyBytes(new Uint8Array(4), [4]), 'application/x-npy'],
    [Buffer.from('{"image": []}'), 'application/json'],
    [Buffer.from('shoe'), undefined],
  ]);
  for (const [file, type] of types) assert.equal(identifyFile(file.subarray(0, 512))?.type, type);
});

test('an import names the kind of a file that is not a model', async () => {
  const png = await image.clone().png().toBuffer();
  const cases: readonly [file: Uint8Array, message: RegExp][] = [
    [png, /it is a PNG image, not an .npy, .npz, safetensors or ONNX file/],
    [Buffer.from('%PDF-1.7\n'), /it is a PDF document, not/],
    [Buffer.from('hello'), /it is text, not/],
    [new Uint8Array(0), /it is an empty file, not/],
    [
      zipSync({ 'cat/1.png': png }),
      /an archive of images; upload images to train on with POST \/v1\/datasets/,
    ],
  ];
  for (const [file, message] of cases)
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', message));
});
